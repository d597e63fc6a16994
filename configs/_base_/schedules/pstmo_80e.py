# The published recipe of the second stage (P-STMO-S): Shan et al., ECCV 2022.
train_cfg = dict(by_epoch=True, max_epochs=80, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=7e-4, amsgrad=True)
)
param_scheduler = [dict(type='ExponentialLR', gamma=0.97, by_epoch=True)]
