_base_ = './motionagformer_h36m.py'
model = dict(backbone=dict(variant='XS', num_frames=27))
train_dataloader = dict(dataset=dict(stride=9))
published = dict(
    _delete_=True,
    keypoints='sh_ft',
    MPJPE=45.1,
    source='Mehraban et al., WACV 2024 (2.5D protocol)',
    second_hand=True,
)
