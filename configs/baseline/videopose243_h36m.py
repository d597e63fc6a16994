_base_ = './videopose_h36m.py'
model = dict(backbone=dict(filter_widths=(3, 3, 3, 3, 3)))
train_cfg = dict(max_epochs=80)
published = dict(
    keypoints='cpn',
    MPJPE=46.8,
    P_MPJPE=36.5,
    source='facebookresearch/VideoPose3D README',
)
