"""Whole runs on tiny data: the promises that a user builds on."""

import json
from itertools import count
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from sealpose.apis import build_tester, build_trainer, evaluate
from sealpose.apis.preflight import preflight
from sealpose.registry import MODELS
from sealpose.seal import SEALHook
from sealpose.seal.loss_nets import GraphLossNet
from sealpose.skeletons import H36M17, Skeleton, register_skeleton

BASELINE = 'configs/baseline/videopose_sample.py'
SEAL = 'configs/seal/videopose_sample.py'


def train(cfg):
    runner = build_trainer(cfg)
    runner.train()
    return runner


def weights(runner):
    return {k: v.clone() for k, v in runner.model.state_dict().items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        assert torch.equal(a[key], b[key]), key


def test_baseline_is_the_seal_run_without_the_hook_bit_for_bit(tiny_cfg):
    def with_weight(work_dir, weight):
        cfg = tiny_cfg(SEAL, work_dir)
        cfg.custom_hooks[0].pop('energy_ratio', None)
        cfg.custom_hooks[0].update(energy_weight=weight, warmup_iters=0)
        return weights(train(cfg))

    silent = with_weight('silent', 0.0)
    baseline = weights(train(tiny_cfg(BASELINE, 'baseline')))
    assert_same(silent, baseline)
    loud = with_weight('loud', 1.0)
    assert any(not torch.equal(loud[k], baseline[k]) for k in baseline)


class KilledAfter(Hook):
    def __init__(self, epochs):
        self.epochs = epochs

    def before_train_epoch(self, runner):
        if runner.epoch == self.epochs:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ('negatives', 'energy_at'),
    [('shared', 'training'), ('fresh', 'training'), ('shared', 'inference')],
)
def test_stop_and_resume_ends_in_the_same_weights(tiny_cfg, negatives, energy_at):
    def cfg(work_dir, **options):
        cfg = tiny_cfg(SEAL, work_dir, **{'train_cfg.max_epochs': 4}, **options)
        cfg.custom_hooks[0].update(
            negatives=negatives, energy_at=energy_at, warmup_iters=1
        )
        return cfg

    straight = train(cfg('straight'))
    stopping = build_trainer(cfg('stopped'))
    stopping.register_hook(KilledAfter(2))
    with pytest.raises(KeyboardInterrupt):
        stopping.train()
    resumed_cfg = cfg('stopped')
    resumed_cfg.resume = True
    resumed = train(resumed_cfg)

    assert resumed.epoch == 4
    assert_same(weights(straight), weights(resumed))
    final = [
        torch.load(f'{r.work_dir}/epoch_4.pth', weights_only=True)['seal']
        for r in (straight, resumed)
    ]
    assert_same(final[0]['loss_net'], final[1]['loss_net'])
    assert str(final[0]['optimizer']) == str(final[1]['optimizer'])


def test_a_seal_checkpoint_is_tested_without_a_loss_net(
    tiny_cfg, tmp_path, monkeypatch
):
    runner = train(tiny_cfg(SEAL))
    path = f'{runner.work_dir}/epoch_2.pth'

    def forbidden(*args, **kwargs):
        raise AssertionError('a loss-net was built')

    monkeypatch.setattr(GraphLossNet, '__init__', forbidden)
    metric = evaluate(build_tester(tiny_cfg(SEAL), path))
    report = metric.report
    assert report.frames == 4 * 40
    assert report.name == 'seal/videopose_sample'
    assert 0 < report.action_mean['P-MPJPE'] <= report.action_mean['MPJPE']

    report.to_json(tmp_path / 'out.json')
    assert json.loads((tmp_path / 'out.json').read_text())['frames'] == 160


def test_a_metric_of_ones_own_beside_the_pose_metric(tiny_cfg):
    path = f'{train(tiny_cfg(BASELINE)).work_dir}/epoch_2.pth'
    cfg = tiny_cfg(BASELINE)
    cfg.test_evaluator = [
        dict(type='DumpResults', out_file_path=f'{cfg.work_dir}/results.pkl'),
        dict(type='PoseMetric', measures=['LSE']),
    ]
    report = evaluate(build_tester(cfg, path)).report
    assert report.name == 'baseline/videopose_sample'
    assert list(report.action_mean) == ['LSE']


def test_seal_figures_are_in_the_log(tiny_cfg):
    cfg = tiny_cfg(SEAL)
    cfg.custom_hooks[0].warmup_iters = 0
    runner = train(cfg)
    lines = Path(runner.log_dir, 'vis_data/scalars.json').read_text().splitlines()
    logged = {key for line in lines for key in json.loads(line)}
    assert {
        'loss_energy',
        'seal_objective',
        'seal_energy_pred',
        'seal_energy_true',
        'seal_energy_gap',
        'seal_ranked_right',
    } <= logged


def test_validation_keeps_the_best_checkpoint(tiny_cfg):
    runner = train(tiny_cfg(BASELINE))
    assert [p.name for p in Path(runner.work_dir).glob('best_*')] == [
        'best_MPJPE_epoch_2.pth'
    ]


def test_a_run_starts_from_other_weights_with_another_seed(tiny_cfg):
    first = build_trainer(tiny_cfg(BASELINE, 'a', **{'randomness.seed': 0}))
    second = build_trainer(tiny_cfg(BASELINE, 'b', **{'randomness.seed': 1}))
    assert any(
        not torch.equal(a, b)
        for a, b in zip(
            first.model.parameters(), second.model.parameters(), strict=True
        )
    )


class First(Hook):
    """Keeps the weights with which training begins, and ends it there."""

    def before_train(self, runner):
        self.pose_net = weights(runner)
        self.loss_net = {}
        for hook in runner.hooks:
            if isinstance(hook, SEALHook):
                state = hook.trainer.loss_net.state_dict()
                self.loss_net = {name: each.clone() for name, each in state.items()}
        raise KeyboardInterrupt


def test_pose_net_and_loss_net_start_independently(tiny_cfg):
    runs = count()

    def start(name, **options):
        first = First()
        cfg = tiny_cfg(name, f'run_{next(runs)}', **options)
        runner = build_trainer(cfg)
        runner.register_hook(first, priority='LOWEST')
        with pytest.raises(KeyboardInterrupt):
            runner.train()
        return first

    def differ(a, b):
        return any(not torch.equal(a[k], b[k]) for k in a)

    baseline, seal, again = start(BASELINE), start(SEAL), start(SEAL)
    assert_same(baseline.pose_net, seal.pose_net)
    assert_same(seal.loss_net, again.loss_net)
    wider = start(SEAL, **{'model.backbone.channels': 32})
    assert_same(seal.loss_net, wider.loss_net)
    other = start(SEAL, **{'randomness.seed': 1})
    assert differ(seal.pose_net, other.pose_net)
    assert differ(seal.loss_net, other.loss_net)


def test_one_seed_gives_one_run(tiny_cfg):
    first, second = (weights(train(tiny_cfg(SEAL, name))) for name in ('a', 'b'))
    assert_same(first, second)


def test_single_frame_and_explicit_constraints_train_too(tiny_cfg):
    cfg = tiny_cfg('configs/seal/simplebaseline_sample.py')
    cfg.model.losses.symmetry = dict(type='SymmetryLoss', weight=0.1)
    cfg.model.losses.bones = dict(type='BoneLengthLoss', weight=0.1)
    runner = train(cfg)
    assert runner.epoch == 2


def test_whole_sequences_and_windows_give_the_same_result(tiny_cfg):
    path = f'{train(tiny_cfg(BASELINE)).work_dir}/epoch_2.pth'
    whole = evaluate(build_tester(tiny_cfg(BASELINE), path))
    window = {
        'test_dataloader.dataset.input_frames': 27,
        'test_dataloader.dataset.output_frames': 1,
    }
    by_window = evaluate(build_tester(tiny_cfg(BASELINE, **window), path))
    for name, value in whole.report.action_mean.items():
        assert by_window.report.action_mean[name] == pytest.approx(value, rel=1e-4)


def test_a_third_partys_backbone_trains_from_its_own_folder(tiny_cfg):
    cfg = tiny_cfg('projects/example_backbone/configs/joint_mixer_sample.py')
    runner = train(cfg)
    assert type(runner.model.backbone).__module__.startswith('projects.')


class TestNothingIsWrittenForBadInput:
    """Each fault is found before the work dir exists."""

    @pytest.fixture(autouse=True)
    def nothing_written(self, tmp_path):
        yield
        assert not (tmp_path / 'run').exists()

    def test_unknown_type(self, tiny_cfg):
        cfg = tiny_cfg(BASELINE, **{'model.backbone.type': 'VideoPos3D'})
        with pytest.raises(KeyError, match='VideoPos3D'):
            build_trainer(cfg)

    def test_unknown_objective(self, tiny_cfg):
        cfg = tiny_cfg(SEAL)
        cfg.custom_hooks[0].objective = dict(type='Margin')
        with pytest.raises(KeyError, match='Margin'):
            build_trainer(cfg)

    def test_output_shape_of_the_backbone(self, tiny_cfg):
        cfg = tiny_cfg(
            BASELINE,
            **{
                'train_dataloader.dataset.input_frames': 27,
                'train_dataloader.dataset.output_frames': 27,
            },
        )
        with pytest.raises(ValueError, match=r'VideoPose3D returned \(1, 1, 17, 3\)'):
            build_trainer(cfg)

    def test_backbone_of_another_joint_count(self, tiny_cfg):
        cfg = tiny_cfg(BASELINE, **{'model.backbone.num_joints': 16})
        with pytest.raises(ValueError, match='VideoPose3D failed on an input of shape'):
            build_trainer(cfg)

    def test_loss_net_of_another_skeleton(self, tiny_cfg):
        register_skeleton(Skeleton('stick2', joints=dict(a=None, b='a')))
        cfg = tiny_cfg(SEAL)
        cfg.custom_hooks[0].loss_net = dict(type='MLPLossNet', skeleton='stick2')
        with pytest.raises(ValueError, match=r'stick2.*h36m17|h36m17.*stick2'):
            build_trainer(cfg)

    def test_data_of_another_skeleton(self, tiny_cfg):
        register_skeleton(Skeleton('other17', H36M17.joints))
        cfg = tiny_cfg(BASELINE, **{'model.skeleton': 'other17'})
        with pytest.raises(
            ValueError, match="'other17', but SampleMotion has 'h36m17'"
        ):
            build_trainer(cfg)

    def test_checkpoint_of_another_model(self, tiny_cfg, tmp_path):
        path = tmp_path / 'other.pth'
        torch.save(dict(state_dict=torch.nn.Linear(2, 2).state_dict()), path)
        with pytest.raises(ValueError, match=r'other\.pth belongs to another model'):
            build_tester(tiny_cfg(BASELINE), path)

    def test_corrupted_checkpoint(self, tiny_cfg, tmp_path):
        path = tmp_path / 'broken.pth'
        path.write_bytes(b'PK\x03\x04 cut short')
        with pytest.raises(ValueError, match=r'broken\.pth is not a readable'):
            build_tester(tiny_cfg(BASELINE), path)

    def test_weights_alone_cannot_be_resumed(self, tiny_cfg, tmp_path):
        cfg = tiny_cfg(BASELINE)
        model = MODELS.build(cfg.model)
        path = tmp_path / 'weights.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        cfg.resume, cfg.load_from = True, str(path)
        with pytest.raises(ValueError, match='holds weights only'):
            build_trainer(cfg)

    def test_missing_files_of_human36m(self, tiny_cfg, tmp_path):
        cfg = tiny_cfg(BASELINE)
        cfg.train_dataloader.dataset = dict(
            type='Human36M', data_root=str(tmp_path / 'nowhere')
        )
        with pytest.raises(FileNotFoundError, match=r'nowhere/data_3d_h36m\.npz'):
            preflight(cfg, 'train')
