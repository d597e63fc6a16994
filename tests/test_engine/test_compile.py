from types import SimpleNamespace

import pytest
import torch

from sealpose.engine.hooks.compile import CompileHook
from sealpose.models import PoseLifter
from tests.test_seal.tiny import TinyLifter, make_runner, seal

GRAPH = dict(type='GraphLossNet', embed_dims=16, num_heads=2, depth=2, dropout=0.0)


def lifter():
    torch.manual_seed(0)
    backbone = dict(type='SimpleBaseline', channels=16, num_stages=1, dropout=0.0)
    return PoseLifter(backbone, 'h36m17', dict(pose=dict(type='MPJPELoss')))


def train(tmp_path, *hooks, model=None):
    hook = seal(loss_net=GRAPH)
    runner = make_runner(
        tmp_path, hook, *hooks, model=model or lifter(), epochs=1, shuffle=False
    )
    runner.train()
    weights = dict(runner.model.state_dict())
    loss_net = hook.trainer.loss_net.state_dict()
    weights.update((f'loss_net.{name}', value) for name, value in loss_net.items())
    return runner, weights


@pytest.fixture
def compiled_graphs():
    """Collect what dynamo hands to the compiler; each runs as it is."""
    graphs = []

    def backend(graph, example_inputs):
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    yield backend, graphs
    torch._dynamo.reset()


def test_compiled_training_is_the_same_with_the_same_keys(tmp_path, compiled_graphs):
    backend, graphs = compiled_graphs
    _, plain = train(tmp_path / 'plain')
    runner, compiled = train(
        tmp_path / 'compiled',
        # A graph break would be an error.
        CompileHook(backend=backend, fullgraph=True),
    )
    assert plain.keys() == compiled.keys()
    for name, value in plain.items():
        torch.testing.assert_close(compiled[name], value, rtol=1e-4, atol=1e-6)
    # The backbone; the loss-net to learn, and for the energy.
    assert len(graphs) >= 3
    saved = torch.load(runner.work_dir + '/epoch_1.pth', weights_only=True)
    assert not any('_orig_mod' in key for key in saved['state_dict'])


def test_gradients_of_compiled_networks_are_traced_ahead(tmp_path):
    torch._dynamo.reset()
    _, plain = train(tmp_path / 'plain')
    _, compiled = train(tmp_path / 'compiled', CompileHook(backend='aot_eager'))
    for name, value in plain.items():
        torch.testing.assert_close(compiled[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('chosen', ['backbone', 'loss_net'])
def test_each_network_can_be_left_out(chosen):
    model, loss_net = lifter(), torch.nn.Linear(1, 1)
    seal_hook = SimpleNamespace(trainer=SimpleNamespace(loss_net=loss_net))
    runner = SimpleNamespace(model=model, hooks=[object(), seal_hook])
    hook = CompileHook(**{'backbone': False, 'loss_net': False, chosen: True})
    expected = {'backbone': model.backbone, 'loss_net': loss_net}
    assert hook.networks(runner) == [expected[chosen]]


def test_a_model_without_backbone_is_refused():
    runner = SimpleNamespace(model=TinyLifter(), hooks=[])
    with pytest.raises(TypeError, match='TinyLifter has none'):
        CompileHook().networks(runner)
