# The published recipe: Pavllo et al., CVPR 2019. Its batch-norm schedule is the hook
# `bn_momentum` of configs/baseline/videopose_h36m.py.
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, amsgrad=True)
)
param_scheduler = [dict(type='ExponentialLR', gamma=0.95, by_epoch=True)]
