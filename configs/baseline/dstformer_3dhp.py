_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/dstformer.py',
    '../_base_/schedules/dstformer_120e.py',
]
model = dict(skeleton='mpi_inf_3dhp17', backbone=dict(num_frames=81))
train_dataloader = dict(batch_size=32, dataset=dict(stride=27))
