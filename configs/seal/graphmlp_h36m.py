_base_ = ['../baseline/graphmlp_h36m.py', '../_base_/seal/structure.py']
