_base_ = ['../baseline/simplebaseline_h36m.py', '../_base_/seal/published.py']
