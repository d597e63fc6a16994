# The published recipe: Zhang et al., CVPR 2022, but for its backward pass, which was
# seeded with the loss: optim_wrapper.type='LossSeededOptimWrapper' brings it back.
train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=4e-5, weight_decay=0.1)
)
param_scheduler = [dict(type='ExponentialLR', gamma=0.99, by_epoch=True)]
