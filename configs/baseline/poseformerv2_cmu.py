# A small transformer, for a CPU: 0.5 M parameters.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/cmu.py',
    '../_base_/models/poseformerv2.py',
    '../_base_/schedules/short.py',
]
model = dict(
    backbone=dict(
        num_frames=27, kept_frames=3, kept_coefficients=3, joint_dims=8, depth=2
    )
)
train_dataloader = dict(batch_size=128, dataset=dict(stride=4))
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
