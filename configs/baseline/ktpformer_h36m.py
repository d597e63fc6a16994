_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m.py',
    '../_base_/models/ktpformer.py',
    '../_base_/schedules/ktpformer_200e.py',
]
train_dataloader = dict(batch_size=8, dataset=dict(stride=128))
published = dict(
    keypoints='cpn',
    MPJPE=40.1,
    P_MPJPE=31.9,
    source='Peng et al., CVPR 2024',
    second_hand=True,
)
