_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/sample.py',
    '../_base_/models/simple_baseline.py',
    '../_base_/schedules/short.py',
]
# Narrow, and every fifth frame: minutes on two cores. The published loss (squared
# error) and dropout (0.5) converge too slowly for it.
model = dict(
    backbone=dict(channels=512, dropout=0.25),
    losses=dict(pose=dict(type='MPJPELoss')),
    flip_prob=0.5,
)
train_dataloader = dict(dataset=dict(stride=5))
optim_wrapper = dict(optimizer=dict(lr=3e-3))
train_cfg = dict(max_epochs=24, val_interval=12)
