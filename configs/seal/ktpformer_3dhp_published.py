_base_ = ['../baseline/ktpformer_3dhp.py', '../_base_/seal/published.py']
