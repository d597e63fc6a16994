_base_ = ['../baseline/pstmo_h36m.py', '../_base_/seal/structure.py']
