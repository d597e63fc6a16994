_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/simple_baseline.py',
    '../_base_/schedules/simple_baseline_200e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
train_dataloader = dict(batch_size=64)
