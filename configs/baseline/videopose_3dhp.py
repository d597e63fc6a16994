_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/videopose3d.py',
    '../_base_/schedules/videopose3d_60e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
default_hooks = dict(bn_momentum=dict(type='BNMomentumHook', start=0.1, end=0.001))
train_dataloader = dict(batch_size=1024)
