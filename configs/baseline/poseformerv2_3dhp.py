_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/poseformerv2.py',
    '../_base_/schedules/pstmo_80e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
train_dataloader = dict(batch_size=512)
published = dict(
    keypoints='gt',
    MPJPE=27.8,
    PCK=97.9,
    AUC=78.8,
    source='Zhao et al., CVPR 2023',
    second_hand=True,
)
