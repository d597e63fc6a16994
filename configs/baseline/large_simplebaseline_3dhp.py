_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/large_simple_baseline.py',
    '../_base_/schedules/large_simple_baseline_50e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
train_dataloader = dict(batch_size=1024)
published = dict(
    MPJPE=70.98,
    P_MPJPE=58.05,
    source='torazang65/sealpose report (its own protocol; 67.43 / 52.29 with SEAL)',
)
