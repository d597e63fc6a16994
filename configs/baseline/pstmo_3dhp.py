_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/pstmo.py',
    '../_base_/schedules/pstmo_80e.py',
]
model = dict(skeleton='mpi_inf_3dhp17', backbone=dict(num_frames=81))
train_dataloader = dict(batch_size=160)
published = dict(
    keypoints='gt',
    MPJPE=32.2,
    PCK=97.9,
    AUC=75.8,
    source='Shan et al., ECCV 2022',
    second_hand=True,
)
