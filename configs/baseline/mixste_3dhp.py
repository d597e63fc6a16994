_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/mixste.py',
    '../_base_/schedules/mixste_120e.py',
]
model = dict(skeleton='mpi_inf_3dhp17', backbone=dict(num_frames=27))
train_dataloader = dict(batch_size=37)
published = dict(
    keypoints='gt',
    MPJPE=54.9,
    PCK=94.4,
    AUC=66.5,
    source='Zhang et al., CVPR 2022',
    second_hand=True,
)
