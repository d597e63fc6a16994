_base_ = ['../baseline/motionagformer_xs_h36m.py', '../_base_/seal/published.py']
