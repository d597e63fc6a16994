# A checkpoint of configs/seal/videopose_h36m.py, tested on MPI-INF-3DHP.
_base_ = '../videopose_h36m.py'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MappedDataset',
        dataset=dict(type='MPIINF3DHP', data_root='data/mpi_inf_3dhp', split='test'),
        skeleton='h36m17',
    )
)
