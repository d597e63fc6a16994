_base_ = ['../baseline/jointformer_h36m.py', '../_base_/seal/structure.py']
