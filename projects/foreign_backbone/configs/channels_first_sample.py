# A class by its import path; nothing of it is registered or changed.
_base_ = '../../../configs/seal/videopose_sample.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ForeignBackbone',
        network=dict(
            type='projects.foreign_backbone.channels_first.ChannelsFirstNet',
            channels=32,
            kernel=9,
        ),
        num_frames=27,
        seq2seq=True,
        input_axes='b c t j 1',
        output_axes='b c t j 1',
        output=0,
    )
)
train_dataloader = dict(batch_size=32, dataset=dict(stride=27))
