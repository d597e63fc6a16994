# The published recipe for MPI-INF-3DHP: Mehraban et al., WACV 2024.
train_cfg = dict(by_epoch=True, max_epochs=90, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-4, amsgrad=True)
)
param_scheduler = [dict(type='ExponentialLR', gamma=0.99, by_epoch=True)]
