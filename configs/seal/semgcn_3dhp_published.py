_base_ = ['../baseline/semgcn_3dhp.py', '../_base_/seal/published.py']
# The published SEAL settings for this network.
custom_hooks = _base_.custom_hooks
custom_hooks[0].optim_wrapper.optimizer.lr = 1e-3
custom_hooks[0].energy_weight = 1e-4
