_base_ = ['../baseline/pstmo_3dhp.py', '../_base_/seal/published.py']
