_base_ = ['../baseline/mixste_cmu.py', '../_base_/seal/published_small.py']
