# Whether the energy out of the pass that trains the loss-net does as well as one of its
# own, and what a small graph loss-net does: docs/results/cheaper.md.
_base_ = './cmu_simplebaseline.py'
_seal = 'configs/seal/simplebaseline_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_one_pass = {'custom_hooks.0.one_pass': True}
_graph = {
    'custom_hooks.0.loss_net': dict(
        _delete_=True, type='GraphLossNet', embed_dims=128, num_heads=4, depth=3
    )
}
arms = dict(
    seal_training_one_pass=dict(config=_seal, overrides={**_training, **_one_pass}),
    seal_graph=dict(config=_seal, overrides={**_training, **_graph}),
)
