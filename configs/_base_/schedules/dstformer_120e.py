# The published recipe, from scratch: Zhu et al., ICCV 2023.
_base_ = './motionagformer_60e.py'
train_cfg = dict(max_epochs=120)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
