_base_ = './motionagformer_h36m.py'
model = dict(backbone=dict(variant='L', num_frames=243))
published = dict(
    keypoints='sh_ft',
    MPJPE=38.4,
    P_MPJPE=32.5,
    source='Mehraban et al., WACV 2024 (2.5D protocol)',
    second_hand=True,
)
