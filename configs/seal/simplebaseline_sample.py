_base_ = ['../baseline/simplebaseline_sample.py', '../_base_/seal/structure.py']
