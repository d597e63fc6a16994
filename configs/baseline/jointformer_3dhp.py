_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/jointformer.py',
    '../_base_/schedules/jointformer_50e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
train_dataloader = dict(batch_size=256)
