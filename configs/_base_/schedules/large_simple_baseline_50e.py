# The settings of the SEAL runs on MPI-INF-3DHP.
_base_ = './simple_baseline_200e.py'
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
