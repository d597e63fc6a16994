_base_ = './windows.py'
mpi = dict(type='MPIINF3DHP', data_root='data/mpi_inf_3dhp')
train_dataloader = dict(dataset=mpi)
val_dataloader = dict(dataset=mpi)
test_dataloader = dict(dataset=mpi)
del mpi
# PCK and AUC over the 14 joints of the official tool, and over all 17 as others do.
val_evaluator = dict(measures=['MPJPE', 'PCK-14', 'AUC-14', 'LSE'])
test_evaluator = dict(
    measures=[
        'MPJPE', 'PCK-14', 'AUC-14', 'PCK-all', 'AUC-all', 'P-MPJPE', 'N-MPJPE',
        'LSE', 'LSE-mm', 'BSLE', 'BSLE-mm', 'LLE', 'LLE-mm',
    ]
)  # fmt: skip
