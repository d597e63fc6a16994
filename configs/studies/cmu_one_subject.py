# What unlabelled 2D of nine people is worth when one has labels:
# docs/results/few_labels.md.
_base_ = './cmu_few_labels.py'
overrides = {
    'train_dataloader.dataset.by': 'subject',
    # Without the ramp at the start the network learns far more slowly.
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
        dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
    ],
}
_error = 'configs/few_labels/seal_error_simplebaseline_cmu.py'
_ratio = 'custom_hooks.0.energy_ratio'
_training = {'custom_hooks.0.energy_at': 'training'}
_reprojection = {
    'model.losses.reprojection': dict(type='ReprojectionLoss', weight=0.3, focal=2.29)
}
arms = dict(
    labels_longer=dict(wall_clock_of='seal_error'),
    seal_error=dict(config=_error),
    seal_error_mild=dict(config=_error, overrides={_ratio: 0.1}),
    seal_error_strong=dict(config=_error, overrides={_ratio: 0.6}),
    seal_error_untuned=dict(config=_error, overrides=_training),
    seal_error_and_reprojection=dict(
        config=_error, overrides={**_training, **_reprojection}
    ),
)
