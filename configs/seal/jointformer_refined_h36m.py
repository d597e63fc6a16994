_base_ = ['../baseline/jointformer_refined_h36m.py', '../_base_/seal/structure.py']
