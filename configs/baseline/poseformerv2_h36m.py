_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/poseformerv2.py',
    '../_base_/schedules/poseformerv2_200e.py',
]
published = dict(keypoints='cpn', MPJPE=46.0, source='QitaoZhao/PoseFormerV2 README')
