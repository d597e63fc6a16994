_base_ = ['../baseline/graphmlp_3dhp.py', '../_base_/seal/published.py']
