# What unlabelled 2D is worth on CMU motion capture when a tenth of the clips has
# labels: docs/results/few_labels.md.
base = 'configs/few_labels/baseline_simplebaseline_cmu.py'
overrides = {
    'model.backbone.channels': 512,
    'train_dataloader.dataset.share': 0.1,
    'train_cfg.max_epochs': 6,
}
seeds = [10, 11, 12, 13, 14]
baseline = 'labels'
measures = ['MPJPE', 'P-MPJPE', 'LSE', 'BSLE', 'LLE', 'MPJVE', 'MPJPE-worst5']
tuning = dict(split='val', seeds=[100], measure='MPJPE')
_config = 'configs/few_labels/{}_simplebaseline_cmu.py'
arms = dict(
    labels=dict(),
    labels_again=dict(perturb=1e-6),
    symmetry=dict(
        config=_config.format('symmetry'),
        tune={'model.losses.symmetry.weight': [0.03, 0.1]},
    ),
    reprojection=dict(
        config=_config.format('reprojection'),
        tune={'model.losses.reprojection.weight': [0.03, 0.3]},
    ),
    pseudo_labels=dict(
        config=_config.format('pseudo_labels'),
        tune={'custom_hooks.0.weight': [0.1, 1.0]},
    ),
    seal=dict(config=_config.format('seal')),
    seal_error_training=dict(
        config=_config.format('seal_error'),
        overrides={'custom_hooks.0.energy_at': 'training'},
        tune={'custom_hooks.0.energy_ratio': [0.1, 0.3]},
    ),
)
