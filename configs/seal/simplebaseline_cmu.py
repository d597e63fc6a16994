_base_ = ['../baseline/simplebaseline_cmu.py', '../_base_/seal/structure.py']
