_base_ = ['../baseline/mixste_h36m.py', '../_base_/seal/structure.py']
