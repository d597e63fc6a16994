_base_ = ['../baseline/mixste_3dhp.py', '../_base_/seal/published.py']
