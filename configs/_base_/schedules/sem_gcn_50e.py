# The published recipe: Zhao et al., CVPR 2019.
_base_ = './simple_baseline_200e.py'
train_cfg = dict(max_epochs=50)
