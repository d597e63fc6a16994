_base_ = ['../baseline/simplebaseline_3dhp.py', '../_base_/seal/structure.py']
