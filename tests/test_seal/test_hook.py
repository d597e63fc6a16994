import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from sealpose.engine import read_checkpoint
from sealpose.models import PoseLifter
from sealpose.seal import MLPLossNet, SEALHook
from sealpose.seal.energy_fn import EnergyFn

from .tiny import (
    LOSS_NET,
    TinyLifter,
    TinyPoses,
    make_runner,
    pose_weights,
    run,
    same,
    seal,
)


class Probe(Hook):
    """Keeps what the log would get, per iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.outputs, self.flushed = [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.outputs.append(dict(outputs))
        scalars = runner.message_hub.log_scalars
        gap = scalars.get('train/seal_energy_gap')
        self.flushed.append(0 if gap is None else len(gap.data[0]))


class Start(Hook):
    """Keeps the loss-net's weights as the training loop finds them."""

    def __init__(self, seal_hook):
        self.seal_hook = seal_hook

    def before_train(self, runner):
        net = self.seal_hook.trainer.loss_net
        self.weights = {name: each.clone() for name, each in net.state_dict().items()}


def test_weight_zero_trains_the_pose_net_bit_for_bit_as_without(tmp_path):
    hook = seal(energy_weight=0.0)
    plain = run(tmp_path)
    beside = run(tmp_path, hook)
    weighted = run(tmp_path, seal())
    assert same(pose_weights(plain), pose_weights(beside))
    assert not same(pose_weights(plain), pose_weights(weighted))
    assert hook.trainer.optim_wrapper.state_dict()['state']
    assert plain.model.energy_fn is None and weighted.model.energy_fn is None


def test_pose_lifter_trains_with_it(tmp_path):
    dataset = TinyPoses()
    model = PoseLifter(
        backbone={'type': 'SimpleBaseline', 'num_joints': 17},
        skeleton='h36m17',
        losses={'pose': {'type': 'MPJPELoss'}},
    )
    probe = Probe()
    run(
        tmp_path, probe, seal(negatives='fresh'), model=model, dataset=dataset, epochs=1
    )
    assert {'loss_pose', 'loss_energy', 'loss'} <= probe.outputs[-1].keys()


@pytest.mark.parametrize('options', [{}, {'one_pass': True}])
def test_stop_and_resume_equals_no_stop(tmp_path, options):
    def train(name, epochs, **kwargs):
        hook = seal(warmup_iters=2, schedule={'end': 8}, **options)
        hooks = [{'type': 'EpochSeedHook'}, hook]
        runner = run(tmp_path / name, *hooks, epochs=epochs, **kwargs)
        return pose_weights(runner), hook.trainer.state_dict()

    checkpoint = {'checkpoint': {'type': 'CheckpointHook', 'interval': 1}}
    straight = train('straight', 4)
    train('stopped', 2, default_hooks=checkpoint)
    resumed = train('stopped', 4, resume=True)
    assert same(straight[0], resumed[0])
    assert same(straight[1]['loss_net'], resumed[1]['loss_net'])
    moments = [state['optimizer']['state'][0] for _, state in (straight, resumed)]
    assert same(*moments)


def test_checkpoint_holds_the_loss_net_in_plain_values(tmp_path):
    hook = seal()
    run(tmp_path, hook, epochs=1)
    checkpoint = read_checkpoint(tmp_path / 'epoch_1.pth')
    assert checkpoint['seal'].keys() == {
        'version',
        'loss_net',
        'optimizer',
        'balance',
    }
    assert checkpoint['seal']['version'] == 2
    assert same(checkpoint['seal']['loss_net'], hook.trainer.loss_net.state_dict())
    assert not any('loss_net' in name for name in checkpoint['state_dict'])


def test_resume_names_what_does_not_fit(tmp_path):
    run(tmp_path / 'plain', epochs=1)
    run(tmp_path / 'seal', seal(), epochs=1)
    with pytest.raises(ValueError, match='no entry `seal`'):
        run(tmp_path / 'plain', seal(), resume=True)
    other = seal(loss_net={**LOSS_NET, 'hidden_dims': 8})
    with pytest.raises(ValueError, match='does not fit the loss-net'):
        run(tmp_path / 'seal', other, resume=True)


def test_load_from_takes_the_pose_net_alone(tmp_path):
    def first_weights(**kwargs):
        hook = seal()
        start = Start(hook)
        run(tmp_path / 'next', hook, start, **kwargs)
        return start.weights

    run(tmp_path, seal(), epochs=1)
    path = str(tmp_path / 'epoch_1.pth')
    fresh, loaded = first_weights(), first_weights(load_from=path)
    resumed = first_weights(load_from=path, resume=True)
    assert same(fresh, loaded)
    assert not same(fresh, resumed)


def test_warmup_and_schedule_in_the_log(tmp_path):
    probe = Probe()
    schedule = {'type': 'linear', 'begin': 2, 'end': 6, 'start_factor': 0.5}
    hook = seal(energy_weight=0.2, warmup_iters=2, schedule=schedule)
    runner = run(tmp_path, probe, hook)
    assert ['loss_energy' in out for out in probe.outputs] == [False] * 2 + [True] * 4
    weights = runner.message_hub.get_scalar('train/seal_energy_weight').data[0]
    # Logged at iterations 1, 2 (end of the epoch), 4, 5 (end of the epoch).
    assert weights.tolist() == pytest.approx([0, 0.1, 0.15, 0.175])


def test_figures_reach_the_log_at_its_interval(tmp_path, monkeypatch):
    probe, hook, seen = Probe(), seal(), []
    runner = make_runner(tmp_path, probe, hook)
    step = EnergyFn.__call__

    def spy(*args, **kwargs):
        losses = step(*args, **kwargs)
        seen.append(losses)
        return losses

    monkeypatch.setattr(EnergyFn, '__call__', spy)
    runner.train()
    assert probe.flushed == [0, 1, 2, 2, 3, 4]
    scalars = runner.message_hub.log_scalars
    for name in ('objective', 'energy_pred', 'energy_true', 'energy_gap'):
        values = scalars[f'train/seal_{name}'].data[0]
        assert torch.isfinite(torch.tensor(values)).all()
    ranked = scalars['train/seal_ranked_right'].data[0]
    assert ((ranked >= 0) & (ranked <= 1)).all()
    gap, pred, true = (
        scalars[f'train/seal_energy_{name}'].data[0] for name in ('gap', 'pred', 'true')
    )
    assert gap.tolist() == pytest.approx((pred - true).tolist(), abs=1e-6)
    assert all(losses.keys() == {'loss_energy'} for losses in seen)


def test_static_never_learns(tmp_path):
    torch.manual_seed(1)
    net = MLPLossNet('h36m17', 16)
    torch.save(net.state_dict(), tmp_path / 'bare.pth')
    torch.save({'seal': {'loss_net': net.state_dict()}}, tmp_path / 'seal.pth')
    plain, results = run(tmp_path), []
    for file in ('bare.pth', 'seal.pth'):
        probe = Probe()
        hook = SEALHook(LOSS_NET, 0.1, static=True, init=str(tmp_path / file))
        runner = run(tmp_path, probe, hook)
        assert same(net.state_dict(), hook.trainer.loss_net.state_dict())
        results.append(pose_weights(runner))
        assert 'train/seal_energy_pred' in runner.message_hub.log_scalars
        assert 'train/seal_objective' not in runner.message_hub.log_scalars
        assert all('loss_energy' in output for output in probe.outputs)
    assert same(*results)
    assert not same(results[0], pose_weights(plain))


def test_init_of_another_loss_net_is_refused(tmp_path):
    torch.save(MLPLossNet('h36m17', 8).state_dict(), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'other\.pth.*shape'):
        run(tmp_path, seal(init=str(tmp_path / 'other.pth')))


def test_fresh_negatives_come_from_the_eval_mode(tmp_path):
    shared, fresh = seal(energy_weight=0.0), seal(energy_weight=0.0, negatives='fresh')
    runners = [run(tmp_path, hook) for hook in (shared, fresh)]
    assert [runner.model.fresh_calls for runner in runners] == [0, 6]
    assert not same(*(h.trainer.loss_net.state_dict() for h in (shared, fresh)))
    assert same(*map(pose_weights, runners))


def test_skeletons_must_agree(tmp_path):
    loss_net = {**LOSS_NET, 'skeleton': 'h36m17'}
    with pytest.raises(ValueError, match=r"'h36m17', but the training data .*'other'"):
        run(tmp_path, seal(loss_net=loss_net), dataset=TinyPoses('other'))
    model = TinyLifter()
    model.skeleton = 'another'
    with pytest.raises(ValueError, match=r"'h36m17', but the model .*'another'"):
        run(tmp_path, seal(loss_net=loss_net), model=model)


def test_model_must_call_energy_fn(tmp_path):
    model = TinyLifter()
    del model.energy_fn
    with pytest.raises(TypeError, match='TinyLifter has no such attribute'):
        run(tmp_path, seal(), model=model)


def test_nothing_is_built_to_test(tmp_path):
    hook = seal()
    assert make_runner(tmp_path, hook).test() == {'count': 3}
    assert hook.trainer is None


def test_ema_of_the_model_works(tmp_path):
    runner = run(tmp_path, {'type': 'EMAHook'}, seal(), epochs=1)
    assert (tmp_path / 'epoch_1.pth').exists()
    assert runner.model.energy_fn is None


@pytest.mark.filterwarnings('ignore:torch.cuda.amp.GradScaler')
@pytest.mark.parametrize(
    'wrapper',
    [{'type': 'Bf16OptimWrapper'}, {'type': 'AmpOptimWrapper', 'dtype': 'bfloat16'}],
)
def test_mixed_precision_follows_the_model(tmp_path, monkeypatch, wrapper):
    # mmengine's wrapper works on a CPU, but refuses.
    module = 'mmengine.optim.optimizer.amp_optimizer_wrapper.is_cuda_available'
    monkeypatch.setattr(module, lambda: True)
    amp = {**wrapper, 'optimizer': {'type': 'SGD', 'lr': 0.05}}
    follows, own = seal(), seal()
    own.optim_wrapper = {'type': 'OptimWrapper', **own.optim_wrapper}
    for hook, dtype in ((follows, torch.bfloat16), (own, None)):
        seen = []
        runner = make_runner(tmp_path, hook, epochs=1, optim_wrapper=amp)
        register = nn.modules.module.register_module_forward_hook
        handle = register(lambda net, args, out, seen=seen: seen.append((net, out)))
        runner.train()
        handle.remove()
        assert getattr(hook.trainer.optim_wrapper, 'cast_dtype', None) == dtype
        energies = {out.dtype for net, out in seen if isinstance(net, MLPLossNet)}
        assert energies == {dtype or torch.float32}


def test_gradient_norm_has_its_own_name(tmp_path):
    optim_wrapper = {
        'optimizer': {'type': 'SGD', 'lr': 0.1},
        'clip_grad': {'max_norm': 1.0},
    }
    runner = run(tmp_path, seal(optim_wrapper=optim_wrapper), epochs=1)
    assert 'train/seal_grad_norm' in runner.message_hub.log_scalars
    assert 'train/grad_norm' not in runner.message_hub.log_scalars


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'negatives': 'random'}, "'shared' or 'fresh', but got 'random'"),
        ({'energy_at': 'test'}, "'inference' or 'auto', but got 'test'"),
        (
            {'negatives': 'fresh', 'energy_at': 'auto'},
            "energy_at='auto' would predict the same twice",
        ),
        ({'static': True}, '`init` has to name its checkpoint'),
        ({'objective': None}, 'needs `objective` and `optim_wrapper`'),
        ({'schedule': {'begin': 3, 'end': 3}}, 'begin=3 and end=3'),
    ],
)
def test_contradicting_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        seal(**kwargs)
