_base_ = ['../baseline/ktpformer_h36m.py', '../_base_/seal/published.py']
