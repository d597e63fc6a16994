# The published recipe: Martinez et al., ICCV 2017, with the gradient clip of the
# PyTorch port. ×0.96 per 100,000 iterations, as a continuous exponent.
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='ExponentialLR', gamma=0.96 ** (1 / 100_000), by_epoch=False)
]
