_base_ = ['../baseline/poseformerv2_h36m.py', '../_base_/seal/published.py']
# The published SEAL settings for this network.
custom_hooks = _base_.custom_hooks
custom_hooks[0].energy_weight = 1e-5
