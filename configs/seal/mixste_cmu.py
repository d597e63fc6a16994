_base_ = ['../baseline/mixste_cmu.py', '../_base_/seal/structure.py']
