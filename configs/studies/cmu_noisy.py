# As cmu_videopose.py, with worse keypoints in training and testing, where a pose is
# less certain: docs/results/structure.md.
_base_ = './cmu_videopose.py'
_worse = [
    dict(type='DetectorNoise', sigma=5.0),
    dict(type='OccludedLimb', prob=0.2, fill='mask'),
]
overrides = {
    'model.augmentations': _worse,
    'test_dataloader.dataset.transforms': _worse,
}
