_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/motionagformer.py',
    '../_base_/schedules/motionagformer_3dhp_90e.py',
]
model = dict(skeleton='mpi_inf_3dhp17', backbone=dict(variant='B', num_frames=81))
train_dataloader = dict(batch_size=16, dataset=dict(stride=9))
published = dict(
    keypoints='gt',
    MPJPE=18.2,
    PCK=98.3,
    AUC=84.2,
    source='Mehraban et al., WACV 2024',
    second_hand=True,
)
