_base_ = ['../baseline/jointformer_refined_h3wb.py', '../_base_/seal/structure.py']
