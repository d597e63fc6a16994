_base_ = ['../baseline/jointformer_3dhp.py', '../_base_/seal/published.py']
