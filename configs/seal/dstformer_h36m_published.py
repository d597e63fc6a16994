_base_ = ['../baseline/dstformer_h36m.py', '../_base_/seal/published.py']
