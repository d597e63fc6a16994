_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m_gt.py',
    '../_base_/models/simple_baseline.py',
    '../_base_/schedules/simple_baseline_200e.py',
]
train_dataloader = dict(batch_size=64)
published = dict(
    keypoints='gt',
    MPJPE=44.4,
    P_MPJPE=35.25,
    source='garyzhao/SemGCN README (16 joints)',
)
