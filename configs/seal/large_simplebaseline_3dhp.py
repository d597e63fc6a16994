_base_ = ['../baseline/large_simplebaseline_3dhp.py', '../_base_/seal/structure.py']
