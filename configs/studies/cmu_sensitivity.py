# What the result depends on: strength, size of the loss-net, its updates, margin. With
# the energy in train mode, which costs least: docs/results/structure.md.
_base_ = './cmu_simplebaseline.py'
_seal = 'configs/seal/simplebaseline_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_hook = 'custom_hooks.0.{}'
_margin = dict(
    _delete_=True,
    type='MarginObjective',
    distance=dict(bone_length=1.0, symmetry=0.25),
    scale=10.0,
)
_changes = dict(
    ratio_09={_hook.format('energy_ratio'): 0.9},
    width_64={_hook.format('loss_net.hidden_dims'): 64},
    updates_3={_hook.format('updates'): 3},
    margin_10={_hook.format('objective'): _margin},
)
arms = {
    name: dict(config=_seal, overrides={**_training, **change})
    for name, change in _changes.items()
}
