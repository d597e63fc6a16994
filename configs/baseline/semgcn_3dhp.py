_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/mpi_inf_3dhp.py',
    '../_base_/models/sem_gcn.py',
    '../_base_/schedules/sem_gcn_50e.py',
]
model = dict(skeleton='mpi_inf_3dhp17')
train_dataloader = dict(batch_size=64)
published = dict(
    MPJPE=61.89,
    P_MPJPE=43.98,
    source='torazang65/sealpose report (its own protocol; 63.16 / 43.79 with SEAL)',
)
