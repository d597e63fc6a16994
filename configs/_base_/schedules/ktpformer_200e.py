# The published recipe: Peng et al., CVPR 2024; its backward pass as in mixste_120e.py.
_base_ = './mixste_120e.py'
train_cfg = dict(max_epochs=200)
optim_wrapper = dict(optimizer=dict(lr=8e-5))
