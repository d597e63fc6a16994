_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/videopose3d.py',
    '../_base_/schedules/videopose3d_60e.py',
]
default_hooks = dict(bn_momentum=dict(type='BNMomentumHook', start=0.1, end=0.001))
published = dict(
    keypoints='cpn',
    MPJPE=48.8,
    P_MPJPE=38.0,
    source='facebookresearch/VideoPose3D README',
)
