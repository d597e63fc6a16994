"""The energy acts in some iterations alone."""

import torch
from mmengine.hooks import Hook

from .tiny import pose_weights, run, same, seal


class Probe(Hook):
    """Notes which iterations have an energy, and when the loss-net changed."""

    priority = 'LOWEST'

    def __init__(self, seal_hook):
        self.seal_hook = seal_hook
        self.energies, self.learnt, self._before = [], [], None

    def before_train_iter(self, *args, **kwargs):
        net = self.seal_hook.trainer.loss_net
        self._before = torch.cat([p.detach().flatten() for p in net.parameters()])

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        before = self._before
        self.before_train_iter()
        self.energies.append('loss_energy' in outputs)
        self.learnt.append(not torch.equal(before, self._before))


def train(tmp_path, **kwargs):
    hook = seal(**kwargs)
    probe = Probe(hook)
    runner = run(tmp_path, {'type': 'EpochSeedHook'}, hook, probe, epochs=3)
    return runner, probe


def test_loss_net_and_energy_rest_in_between(tmp_path):
    runner, probe = train(
        tmp_path, every=3, warmup_iters=2, energy_at='inference', energy_weight=0.5
    )
    due = [True, True, True, False, False, True, False, False, True]
    assert probe.learnt == due
    assert probe.energies == [False, False, *due[2:]]
    # One prediction in eval mode each time, for both.
    assert runner.model.fresh_calls == 5


def test_every_iteration_is_the_default(tmp_path):
    (first, _), (second, _) = train(tmp_path), train(tmp_path, every=1)
    assert same(pose_weights(first), pose_weights(second))


def test_the_energy_is_as_many_times_stronger(tmp_path):
    """With plain SGD and a static loss-net: one long step."""
    run(tmp_path / 'first', seal(), epochs=1)
    frozen = {'static': True, 'init': str(tmp_path / 'first' / 'epoch_1.pth')}
    values = []
    for kwargs in ({'energy_weight': 0.6}, {'energy_weight': 0.2, 'every': 3}):
        runner, _ = train(tmp_path, **frozen, **kwargs)
        values.append(runner.message_hub.get_scalar('train/loss_energy').data[0][0])
    assert values[0] == values[1] != 0


def test_accumulated_updates_of_the_loss_net_count_due_iterations(tmp_path):
    optimizer = {'type': 'SGD', 'lr': 0.1}
    _, probe = train(
        tmp_path,
        every=2,
        optim_wrapper={'optimizer': optimizer, 'accumulative_counts': 2},
    )
    # Five are due; the last one is not lost.
    assert [i for i, learnt in enumerate(probe.learnt) if learnt] == [2, 6, 8]
