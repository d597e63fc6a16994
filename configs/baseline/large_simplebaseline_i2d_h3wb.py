_base_ = './large_simplebaseline_h3wb.py'
# The second task of H3WB: incomplete 2D keypoints.
model = dict(augmentations=[dict(type='IncompleteKeypoints')])
incomplete = dict(dataset=dict(task=2))
val_dataloader = incomplete
test_dataloader = incomplete
del incomplete
published = dict(
    _delete_=True,
    MPJPE=131.4,
    source='wholebody3d/wholebody3d benchmark (incomplete 2D to 3D, whole body)',
)
