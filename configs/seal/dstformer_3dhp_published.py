_base_ = ['../baseline/dstformer_3dhp.py', '../_base_/seal/published.py']
