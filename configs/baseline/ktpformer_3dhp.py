_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/ktpformer.py',
    '../_base_/schedules/ktpformer_200e.py',
]
model = dict(skeleton='mpi_inf_3dhp17', backbone=dict(num_frames=81))
train_dataloader = dict(batch_size=12, dataset=dict(stride=27))
published = dict(
    keypoints='gt',
    MPJPE=16.7,
    PCK=98.9,
    AUC=85.9,
    source='Peng et al., CVPR 2024',
    second_hand=True,
)
