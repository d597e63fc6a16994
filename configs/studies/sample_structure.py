# SEAL against constraints on generated people whom nobody has trained on:
# docs/results/structure.md.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/simplebaseline_sample.py'
overrides = {'train_cfg.max_epochs': 12}
seeds = [10, 11, 12, 13, 14]
_seal = 'configs/seal/simplebaseline_sample.py'
arms = dict(
    seal=dict(config=_seal),
    seal_training=dict(
        config=_seal, overrides={'custom_hooks.0.energy_at': 'training'}
    ),
)
