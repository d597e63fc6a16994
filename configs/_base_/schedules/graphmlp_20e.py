# The published recipe: Li et al., GraphMLP, Pattern Recognition 2025.
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, amsgrad=True)
)
# ×0.95 an epoch, but ×0.5 every fifth.
param_scheduler = [
    dict(type='ExponentialLR', gamma=0.95, by_epoch=True),
    dict(type='StepLR', step_size=5, gamma=0.5 / 0.95, by_epoch=True),
]
