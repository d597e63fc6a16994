# The published recipe: Zhao et al., CVPR 2023.
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.1)
)
param_scheduler = [dict(type='ExponentialLR', gamma=0.99, by_epoch=True)]
