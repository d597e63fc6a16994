_base_ = ['../baseline/ktpformer_3dhp.py', '../_base_/seal/structure.py']
