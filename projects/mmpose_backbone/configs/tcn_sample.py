# mmpose's temporal convolution, which takes (B, J * 2, T) and returns the features of
# each block, under SEAL on the generated data.
_base_ = '../../../configs/seal/videopose_sample.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ForeignBackbone',
        network=dict(
            type='mmpose.TCN',
            in_channels=34,
            stem_channels=256,
            num_blocks=2,
            kernel_sizes=(3, 3, 3),
            dropout=0.25,
        ),
        num_frames=27,
        seq2seq=False,
        any_length=True,
        input_axes='b (j c) t',
        output_axes='b d t',
        output=-1,
        features=256,
    )
)
