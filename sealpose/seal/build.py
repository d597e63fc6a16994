"""From the configs of SEALHook to a LossNetTrainer."""

from collections.abc import Mapping, Sequence

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed
from mmengine.optim import AmpOptimWrapper, OptimWrapper, build_optim_wrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from sealpose.engine.bf16 import Bf16OptimWrapper
from sealpose.engine.fused import fused_optimizer
from sealpose.registry import CORRECTIONS, LOSS_NETS, NEGATIVES, RANKING_OBJECTIVES
from sealpose.seal.contrast import Contrast
from sealpose.seal.fit import load_weights
from sealpose.seal.random_stream import RandomStream
from sealpose.seal.trainer import LossNetTrainer
from sealpose.skeletons import Skeleton, get_skeleton
from sealpose.skeletons.build import build_for_skeleton


def build_loss_net(
    config: Mapping, skeleton: str | Skeleton, seed: int, init: str | None = None
) -> nn.Module:
    """Build a loss-net without anybody's random numbers noticing.

    Args:
        config: Its config; the skeleton is filled in if it names none.
        skeleton: Skeleton of the model.
        seed: Of its first weights.
        init: File with its first weights instead.
    """
    with RandomStream(seed).active(torch.device(get_device())):
        loss_net = build_for_skeleton(LOSS_NETS, config, skeleton)
    if init is not None:
        load_weights(loss_net, init)
    return loss_net


def build_objective(config: Mapping, skeleton: str | Skeleton) -> nn.Module:
    """Build a ranking objective; the skeleton is filled in if it takes one."""
    return build_for_skeleton(RANKING_OBJECTIVES, config, skeleton)


def build_contrast(
    skeleton: str | Skeleton,
    negatives: Sequence[Mapping] = (),
    corrections: Sequence[Mapping] = (),
) -> Contrast:
    """Build what is ranked beside prediction and truth, from configs."""
    return Contrast(
        [NEGATIVES.build(config) for config in negatives],
        [CORRECTIONS.build(config) for config in corrections],
        get_skeleton(skeleton),
    )


def build_loss_net_optimizer(
    config: Mapping, loss_net: nn.Module, model_wrapper: OptimWrapper
) -> OptimWrapper:
    """Build the loss-net's optimizer wrapper.

    Args:
        config: Without a ``type`` it has mixed precision if, and as, the model has.
        loss_net: Whose parameters it updates.
        model_wrapper: Optimizer wrapper of the model.
    """
    config = dict(config)
    if 'type' not in config:
        config.update(_precision_of(model_wrapper))
    if 'optimizer' in config:
        device = next(loss_net.parameters()).device
        config['optimizer'] = fused_optimizer(config['optimizer'], device)
    optim_wrapper = build_optim_wrapper(loss_net, config)
    if hasattr(optim_wrapper, 'grad_name'):
        # mmengine would log it under the name of the model's gradient.
        optim_wrapper.grad_name = f'seal_{optim_wrapper.grad_name}'
    return optim_wrapper


def _precision_of(model_wrapper: OptimWrapper) -> dict:
    if isinstance(model_wrapper, AmpOptimWrapper):
        return dict(type=type(model_wrapper), dtype=model_wrapper.cast_dtype)
    if isinstance(model_wrapper, Bf16OptimWrapper):
        return dict(type=Bf16OptimWrapper)
    return {}


def build_loss_net_trainer(
    loss_net: nn.Module,
    skeleton: str | Skeleton,
    model_wrapper: OptimWrapper,
    objective: Mapping,
    optim_wrapper: Mapping,
    contrast: Mapping,
    updates: int,
) -> LossNetTrainer:
    """Build the trainer of a loss-net that learns, over all processes.

    Args:
        loss_net: The loss-net, on its device.
        skeleton: Skeleton of the model.
        model_wrapper: Optimizer wrapper of the model.
        objective: Config of the ranking objective.
        optim_wrapper: Config of the loss-net's optimizer wrapper.
        contrast: Arguments of :func:`build_contrast`.
        updates: Updates per iteration.
    """
    return LossNetTrainer(
        loss_net,
        build_objective(objective, skeleton),
        build_loss_net_optimizer(optim_wrapper, loss_net, model_wrapper),
        _distribute(loss_net),
        build_contrast(skeleton, **contrast),
        updates,
    )


def _distribute(loss_net: nn.Module) -> nn.Module:
    if not is_distributed():
        return loss_net
    device = next(loss_net.parameters()).device
    return DistributedDataParallel(
        loss_net,
        device_ids=[device] if device.type == 'cuda' else None,
        broadcast_buffers=False,
    )
