"""NaN and infinity in training: noticed, named, kept out of checkpoints and weights."""

import copy
import re
from contextlib import nullcontext

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.utils import digit_version
from torch.utils._python_dispatch import TorchDispatchMode

from sealpose.apis import build_trainer
from sealpose.engine import find_resumable, read_checkpoint
from sealpose.engine.fault_record import FaultRecord, name_windows
from sealpose.engine.hooks import FiniteHook, NonFiniteError
from sealpose.engine.step_guard import StepGuard, total_norm

from .runs import assert_identical

SEAL = 'configs/seal/videopose_sample.py'
# Two iterations per epoch; the fault comes in the third.
FAULTY = 2


def cfg_of(load, policy='stop', work_dir='run', **options):
    cfg = load(SEAL, work_dir, **options)
    cfg.default_hooks.finite = dict(type='FiniteHook', policy=policy)
    cfg.default_hooks.logger.interval = 100
    cfg.custom_hooks[0].warmup_iters = 0
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    return cfg


class Fault(Hook):
    """Breaks something in an iteration, or in all from then on."""

    def __init__(self, kind, at=FAULTY, for_good=False):
        self.kind, self.at, self.for_good = kind, at, for_good
        self.handle = None

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at or (self.for_good and runner.iter > self.at):
            self.frames = data_batch['frame_idx'][[3, 7]]
            getattr(self, self.kind)(runner, data_batch)

    def after_train_iter(self, runner, *args, **kwargs):
        if self.handle is not None:
            self.handle.remove()

    def keypoints(self, runner, batch):
        batch['keypoints_2d'] = batch['keypoints_2d'].clone()
        batch['keypoints_2d'][[3, 7], 5, 2] = torch.nan

    def truth(self, runner, batch):
        batch['keypoints_3d'] = batch['keypoints_3d'].clone()
        batch['keypoints_3d'][[3, 7], 0, 16, 2] = torch.inf

    def weights(self, runner, batch):
        next(runner.model.backbone.parameters()).data.view(-1)[0] = torch.nan

    def loss(self, runner, batch):
        self.handle = runner.model.losses['pose'].register_forward_hook(
            lambda module, args, loss: loss + torch.inf
        )

    def gradient(self, runner, batch):
        parameter = list(runner.model.backbone.parameters())[-1]
        self.handle = parameter.register_hook(lambda gradient: gradient * torch.nan)

    def loss_net_weights(self, runner, batch):
        next(trainer_of(runner).loss_net.parameters()).data.fill_(torch.nan)

    def loss_net_gradient(self, runner, batch):
        parameter = next(trainer_of(runner).loss_net.parameters())
        self.handle = parameter.register_hook(lambda gradient: gradient * torch.inf)


def trainer_of(runner):
    return next(h.trainer for h in runner.hooks if hasattr(h, 'trainer'))


def start(cfg, *hooks):
    runner = build_trainer(cfg)
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    return runner


def origin(metainfo, frame):
    """Where a frame of a data set lies, by walking along it."""
    for entry in metainfo['sequences']:
        if frame < entry['frames']:
            keys = ('subject', 'action', 'clip', 'camera')
            return ', '.join(f'{k} {entry[k]}' for k in keys) + f', frame {frame}'
        frame -= entry['frames']
    raise AssertionError(frame)


FOUND = dict(
    keypoints='keypoints_2d of the batch, then in prediction',
    truth='keypoints_3d of the batch, then in',
    weights='prediction, then in .*loss_pose',
    loss='loss_pose, then in loss',
    gradient='pose-net gradient[.] ',
    loss_net_weights='RegressionObjective, then in loss-net gradient',
    loss_net_gradient='loss-net gradient, then in',
)


@pytest.mark.parametrize('kind', FOUND)
def test_a_run_stops_and_says_where_it_began(tiny_cfg, tmp_path, kind):
    fault = Fault(kind)
    with pytest.raises(NonFiniteError) as caught:
        start(cfg_of(tiny_cfg), fault)
    told = str(caught.value)
    assert re.search(f'iteration 3: first in {FOUND[kind]}', told), told
    assert 'To try: ' in told
    # Nothing bad was saved, and what was good is there and named.
    assert find_resumable(tmp_path / 'run').name == 'epoch_1.pth'
    assert f'The last good checkpoint is {tmp_path}/run/epoch_1.pth' in told
    checkpoint = read_checkpoint(tmp_path / 'run/epoch_1.pth')
    assert all(torch.isfinite(v).all() for v in checkpoint['state_dict'].values())
    if kind in ('keypoints', 'truth'):
        metainfo = checkpoint['meta']['dataset_meta']
        names = [origin(metainfo, frame) for frame in fault.frames[:, 0].tolist()]
        assert f'Samples: {"; ".join(names)}. To try' in told


class Overflow(Fault):
    """Spoils weights after the last look at the losses and gradients of an epoch."""

    priority = 'HIGHEST'

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 3:
            self.loss_net_weights(runner, None)


def test_weights_that_overflowed_in_the_last_update_are_not_saved(tiny_cfg, tmp_path):
    with pytest.raises(NonFiniteError, match=r'NaN or infinity in .* of BoneLossNet|'
                       r'NaN or infinity in .* of GraphLossNet'):  # fmt: skip
        start(cfg_of(tiny_cfg), Overflow('nothing', at=99))
    assert find_resumable(tmp_path / 'run').name == 'epoch_1.pth'


class Snapshots(Hook):
    """All that an update changes, before and after an iteration."""

    priority = 'LOWEST'

    def __init__(self, iteration):
        self.iteration = iteration

    def _state(self, runner):
        trainer = trainer_of(runner)
        return copy.deepcopy(
            dict(
                pose=runner.model.state_dict(),
                pose_moments=runner.optim_wrapper.optimizer.state_dict()['state'],
                loss_net=trainer.loss_net.state_dict(),
                loss_moments=trainer.optim_wrapper.optimizer.state_dict()['state'],
            )
        )

    def before_train_iter(self, runner, *args, **kwargs):
        if runner.iter == self.iteration:
            self.before = self._state(runner)

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == self.iteration:
            self.after = self._state(runner)


def same(first, second):
    try:
        assert_identical(first, second)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ('kind', 'kept'),
    [
        ('keypoints', {'pose', 'pose_moments', 'loss_net', 'loss_moments'}),
        ('gradient', {'pose', 'pose_moments'}),
        ('loss_net_gradient', {'loss_net', 'loss_moments'}),
        ('keypoints in the first', {'pose', 'loss_net'}),
    ],
)
def test_a_skipped_update_leaves_no_bit_changed(tiny_cfg, tmp_path, kind, kept):
    at = 0 if 'first' in kind else FAULTY
    seen = Snapshots(at)
    runner = start(cfg_of(tiny_cfg, 'skip'), Fault(kind.split()[0], at), seen)
    names = seen.before if at else ('pose', 'loss_net')
    assert {name for name in names if same(seen.before[name], seen.after[name])} == kept
    hub = runner.message_hub
    optimizers = len(kept) // (1 if at == 0 else 2)
    assert hub.get_scalar('train/skipped_updates').current() == optimizers
    with open(next((tmp_path / 'run').glob('*/*.log'))) as log:
        warned = [line for line in log if 'NaN or infinity in iteration' in line]
    assert len(warned) <= 1
    # The run goes on learning, and ends with sound weights.
    final = read_checkpoint(tmp_path / 'run/epoch_2.pth')
    assert all(torch.isfinite(v).all() for v in final['state_dict'].values())
    assert not same(seen.before['pose'], dict(runner.model.state_dict()))


def test_a_healthy_run_is_the_same_with_and_without_the_watch(tiny_cfg, tmp_path):
    ends = []
    for policy in ('stop', 'skip', None):
        cfg = cfg_of(tiny_cfg, policy, work_dir=f'run_{policy}')
        if policy is None:
            del cfg.default_hooks['finite']
        runner = start(cfg)
        ends.append(dict(runner.model.state_dict()))
    assert_identical(ends[0], ends[2])
    assert_identical(ends[1], ends[2])


def test_too_many_skipped_updates_in_a_row_end_the_run(tiny_cfg, tmp_path):
    cfg = cfg_of(tiny_cfg, 'skip', **{'train_cfg.max_epochs': 4})
    cfg.default_hooks.finite.max_in_a_row = 2
    message = r'4 updates in a row were skipped for a pose-net gradient'
    with pytest.raises(NonFiniteError, match=message):
        start(cfg, Fault('gradient', for_good=True))
    # The third iteration is the first fault; two in a row are allowed.
    assert find_resumable(tmp_path / 'run').name == 'epoch_2.pth'


class NoSync(TorchDispatchMode):
    """Refuses what would wait for a GPU."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert 'local_scalar_dense' not in str(func), 'a tensor was read on the host'
        assert 'nonzero' not in str(func)
        return func(*args, **(kwargs or {}))


class Quiet(FiniteHook):
    """Lets no iteration between two logs read a tensor."""

    priority = 'VERY_HIGH'
    checked = 0

    def before_train(self, runner):
        super().before_train(runner)
        step = runner.model.train_step

        def train_step(*args, **kwargs):
            # The first update of all may wait; see StepGuard.
            with NoSync() if runner.iter else nullcontext():
                return step(*args, **kwargs)

        object.__setattr__(runner.model, 'train_step', train_step)

    def before_train_iter(self, *args, **kwargs):
        with NoSync():
            super().before_train_iter(*args, **kwargs)

    def after_train_iter(self, runner, batch_idx, *args, **kwargs):
        due = self._is_due(runner, batch_idx)
        with nullcontext() if due else NoSync():
            super().after_train_iter(runner, batch_idx, *args, **kwargs)
        self.checked += not due


@pytest.mark.parametrize('policy', ['stop', 'skip'])
def test_nothing_waits_for_the_device(tiny_cfg, policy):
    cfg = cfg_of(tiny_cfg, **{'train_dataloader.batch_size': 16})
    del cfg.default_hooks['finite']
    # torch's others count their steps on the host, unless they are fused.
    sgd = dict(type='SGD', lr=1e-3, momentum=0.9)
    cfg.optim_wrapper.optimizer = sgd
    cfg.custom_hooks[0].optim_wrapper.optimizer = sgd
    cfg.model.losses_at_inference = dict(bone=dict(type='BoneLengthLoss'))
    cfg.model.bone_prior = dict(share=0.5)
    quiet = Quiet(policy)
    start(cfg, quiet)
    assert quiet.checked >= 4


needs_fused_optimizers = pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.4'),
    reason='torch before 2.4 has no fused optimizers on a CPU',
)
OPTIMIZERS = [
    (torch.optim.AdamW, dict(lr=0.1, weight_decay=0.1)),
    pytest.param(
        torch.optim.AdamW,
        dict(lr=0.1, fused=True, amsgrad=True),
        marks=needs_fused_optimizers,
    ),
    (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.1)),
    (torch.optim.NAdam, dict(lr=0.1)),
    (torch.optim.RMSprop, dict(lr=0.1, centered=True)),
]


@pytest.mark.parametrize(('kind', 'settings'), OPTIMIZERS)
@pytest.mark.parametrize('bad_at', [0, 2])
def test_a_step_can_be_taken_back_for_any_optimizer(kind, settings, bad_at):
    def train(gradients, guarded):
        weights = [torch.nn.Parameter(torch.linspace(-1, 1, n)) for n in (3, 5)]
        optimizer = kind(weights, **settings)
        noted = []
        if guarded:
            StepGuard(optimizer, lambda bad: noted.append(bool(bad)), skip=True)
        for gradient in gradients:
            for weight in weights:
                weight.grad = gradient * weight.detach().cos()
            optimizer.step()
        return [*map(torch.Tensor.detach, weights), optimizer.state_dict()], noted

    good = [torch.tensor(value) for value in (0.5, -2.0, 1.0)]
    mixed = [*good[:bad_at], torch.tensor(torch.nan), *good[bad_at:]]
    state, noted = train(mixed, guarded=True)
    assert noted == [number == bad_at for number in range(4)]
    assert_identical(state, train(good, guarded=False)[0])


@needs_fused_optimizers
def test_gradients_that_a_loss_scaler_drops_are_no_fault():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, fused=True)
    noted = []
    guard = StepGuard(optimizer, lambda bad: noted.append(bool(bad)), skip=False)
    for overflow in (1.0, 0.0):
        weight.grad = torch.full((3,), torch.inf)
        optimizer.grad_scale, optimizer.found_inf = None, torch.tensor(overflow)
        optimizer.step()
    assert noted == [False, True]
    guard.remove()
    optimizer.step()
    assert len(noted) == 2


def test_total_norm_is_that_of_all_gradients():
    assert total_norm([torch.tensor([3.0]), torch.tensor([[0.0], [4.0]])]) == 5


def test_windows_without_truth_may_hold_nan():
    batch = dict(
        keypoints_2d=torch.zeros(4, 3, 2, 2),
        keypoints_3d=torch.zeros(4, 1, 2, 3),
        frame_idx=torch.tensor([[5], [6], [-1], [8]]),
        labelled=torch.tensor([True, True, False, False]),
    )
    batch['keypoints_3d'][2:] = torch.nan
    record = FaultRecord()
    record.begin(1)
    record.note_batch(batch)
    record.end()
    batch['keypoints_3d'][1, 0, 0] = torch.nan
    record.begin(2)
    record.note_batch(batch)
    record.note_prediction(torch.full((4, 1, 2, 3), torch.nan))
    record.end()
    first, second = record.pop()
    assert not first.faults
    assert second.faults[0] == ('batch', 'keypoints_3d')
    assert second.windows == [(6, 6)]
    assert record.pop() == []


def test_the_record_of_a_window_is_its_range_of_counted_frames():
    record = FaultRecord()
    record.begin(1)
    keypoints = torch.full((3, 4, 1, 2), torch.nan)
    frames = torch.tensor([[7, 8, 9, 10], [3, 4, -1, -1], [-1, -1, -1, -1]])
    record.note_batch(dict(keypoints_2d=keypoints, frame_idx=frames))
    record.end()
    assert record.pop()[0].windows == [(7, 10), (3, 4), (-1, -1)]


def test_windows_are_named_by_their_sequence():
    sequences = [
        dict(subject='S1', action='Walking', clip='Walking 1', camera='a', frames=10),
        dict(subject='S5', action='Eating', clip='Eating', camera='b', frames=20),
    ]
    metainfo = dict(sequences=sequences)
    assert name_windows([(9, 9), (12, 14), (-1, -1)], metainfo) == (
        'subject S1, action Walking, clip Walking 1, camera a, frame 9; '
        'subject S5, action Eating, clip Eating, camera b, frames 2 to 4; 1 more'
    )
    assert name_windows([(12, 12)], {}) == 'frame 12 of the data set'
    many = name_windows([(i, i) for i in range(9)], metainfo)
    assert many.count('subject S1') == 5
    assert many.endswith('; 4 more')


def test_a_policy_has_to_exist():
    with pytest.raises(ValueError, match="'stop' or 'skip', but got 'ignore'"):
        FiniteHook('ignore')
