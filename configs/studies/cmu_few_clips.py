# What unlabelled 2D is worth when one clip in twenty has labels:
# docs/results/few_labels.md.
_base_ = './cmu_one_subject.py'
overrides = {
    'train_dataloader.dataset.by': 'clip',
    'train_dataloader.dataset.share': 0.05,
    'train_cfg.max_epochs': 12,
}
_constant = {'test_evaluator.constant_bones': True}
arms = dict(
    # As the study of one subject chose it.
    reprojection=dict(
        _delete_=True,
        config='configs/few_labels/reprojection_simplebaseline_cmu.py',
        overrides={'model.losses.reprojection.weight': 0.3},
    ),
    labels_constant_bones=dict(weights_of='labels', overrides=_constant),
    seal_constant_bones=dict(weights_of='seal', overrides=_constant),
    seal_error_constant_bones=dict(weights_of='seal_error', overrides=_constant),
)
