# SEAL against constraints on CMU motion capture, 27 frames: docs/results/structure.md.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/videopose_cmu.py'
overrides = {
    'model.backbone.channels': 256,
    'optim_wrapper.optimizer.lr': 2e-3,
    'train_cfg.max_epochs': 5,
}
seeds = [10, 11, 12, 13, 14]
_seal = 'configs/seal/videopose_cmu.py'
arms = dict(
    seal_mild=dict(config=_seal, overrides={'custom_hooks.0.energy_ratio': 0.2}),
    seal=dict(config=_seal),
)
