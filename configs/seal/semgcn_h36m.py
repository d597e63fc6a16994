_base_ = ['../baseline/semgcn_h36m.py', '../_base_/seal/structure.py']
