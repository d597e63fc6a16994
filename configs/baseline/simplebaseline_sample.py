_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/sample.py',
    '../_base_/models/simple_baseline.py',
    '../_base_/schedules/short.py',
]
model = dict(backbone=dict(channels=512))
train_dataloader = dict(dataset=dict(stride=5))
train_cfg = dict(max_epochs=24, val_interval=12)
