"""Evaluate a trained pose-net."""

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from sealpose.apis.config import config_name
from sealpose.apis.runner import build_runner
from sealpose.evaluation.metrics.pose_metric import PoseMetric


def build_tester(cfg: Config, checkpoint: str | Path) -> Runner:
    """Check everything and build the Runner that tests a checkpoint.

    Args:
        cfg: As :func:`load_config` returns it.
        checkpoint: Checkpoint of the model of ``cfg``; one trained with SEAL needs no
            loss-net here.
    """
    cfg.load_from = str(checkpoint)
    cfg.resume = False
    cfg.custom_hooks = []
    several = isinstance(cfg.test_evaluator, list)
    for metric in cfg.test_evaluator if several else [cfg.test_evaluator]:
        if metric.type == 'PoseMetric':
            metric.name = config_name(cfg)
    return build_runner(cfg, 'test')


def evaluate(runner: Runner) -> PoseMetric:
    """Run a test.

    Args:
        runner: As :func:`build_tester` returns it.

    Returns:
        The PoseMetric of the config's evaluators: ``report`` holds the figures,
        ``predictions`` every predicted pose.

    Raises:
        ValueError: the config has no PoseMetric.
    """
    metrics = runner.test_loop.evaluator.metrics
    ours = [metric for metric in metrics if isinstance(metric, PoseMetric)]
    if not ours:
        raise ValueError('test_evaluator of the config has no PoseMetric to report')
    runner.test()
    return ours[0]
