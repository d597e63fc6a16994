_base_ = ['../baseline/semgcn_3dhp.py', '../_base_/seal/structure.py']
