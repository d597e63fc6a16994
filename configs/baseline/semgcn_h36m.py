_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/h36m_gt.py',
    '../_base_/models/sem_gcn.py',
    '../_base_/schedules/sem_gcn_50e.py',
]
train_dataloader = dict(batch_size=64)
published = dict(
    keypoints='gt',
    MPJPE=42.14,
    P_MPJPE=33.53,
    source='garyzhao/SemGCN README (16 joints)',
)
