_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/mixste.py',
    '../_base_/schedules/mixste_120e.py',
]
train_dataloader = dict(batch_size=4)
published = dict(
    keypoints='cpn',
    MPJPE=40.9,
    P_MPJPE=32.6,
    source='Zhang et al., CVPR 2022',
    second_hand=True,
)
