# A checkpoint of configs/seal/videopose_3dhp.py, tested on Human3.6M. Its truth is
# scaled as the universal annotations of MPI-INF-3DHP are.
_base_ = '../videopose_3dhp.py'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='MappedDataset',
        dataset=dict(
            type='Human36M', data_root='data/h36m', keypoints='gt', split='test'
        ),
        skeleton='mpi_inf_3dhp17',
        knee_neck_height=0.92,
    )
)
