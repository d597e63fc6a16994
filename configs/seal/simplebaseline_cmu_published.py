_base_ = ['../baseline/simplebaseline_cmu.py', '../_base_/seal/published_small.py']
