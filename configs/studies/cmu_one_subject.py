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
_seal = 'configs/few_labels/seal_simplebaseline_cmu.py'
_training = {'custom_hooks.0.energy_at': 'training'}
_reprojection = {
    'model.losses.reprojection': dict(type='ReprojectionLoss', weight=0.3, focal=2.29)
}
arms = dict(
    seal_strong=dict(config=_seal, overrides={'custom_hooks.0.energy_ratio': 0.6}),
    seal_training_untuned=dict(config=_seal, overrides=_training),
    seal_and_reprojection=dict(config=_seal, overrides={**_training, **_reprojection}),
)
