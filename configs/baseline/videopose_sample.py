_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/sample.py',
    '../_base_/models/videopose3d.py',
    '../_base_/schedules/short.py',
]
# Narrow, and every fifth window: minutes on two cores.
model = dict(backbone=dict(channels=256))
train_dataloader = dict(dataset=dict(stride=5))
train_cfg = dict(max_epochs=24, val_interval=12)
