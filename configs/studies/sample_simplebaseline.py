# A first study, on generated data: needs no download, about 20 minutes on one core.
base = 'configs/baseline/simplebaseline_sample.py'
overrides = {
    'train_dataloader.batch_size': 64,
    'train_dataloader.dataset.stride': 10,
    'train_cfg.max_epochs': 12,
}
seeds = [0, 1, 2]
baseline = 'plain'
measures = ['MPJPE', 'P-MPJPE', 'LSE', 'BSLE', 'MPJVE', 'MPJPE-worst5']
# The most plausible weight among those that cost at most 0.3 mm on validation.
tuning = dict(split='val', seeds=[100], measure='BSLE', allow=dict(MPJPE=0.3))
arms = dict(
    plain=dict(),
    plain_again=dict(perturb=1e-6),
    bones=dict(
        overrides={'model.losses.bone': dict(type='BoneLengthLoss')},
        tune={'model.losses.bone.weight': [0.03, 0.1]},
    ),
    seal=dict(
        config='configs/seal/simplebaseline_sample.py',
        tune={'custom_hooks.0.energy_ratio': [0.3, 0.6]},
    ),
)
