_base_ = ['../baseline/motionagformer_l_h36m.py', '../_base_/seal/published.py']
