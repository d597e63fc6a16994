_base_ = ['../baseline/motionagformer_3dhp.py', '../_base_/seal/published.py']
