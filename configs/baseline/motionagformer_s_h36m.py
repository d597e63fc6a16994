_base_ = './motionagformer_h36m.py'
model = dict(backbone=dict(variant='S', num_frames=81))
train_dataloader = dict(dataset=dict(stride=27))
published = dict(
    _delete_=True,
    keypoints='sh_ft',
    MPJPE=42.5,
    source='Mehraban et al., WACV 2024 (2.5D protocol)',
    second_hand=True,
)
