_base_ = ['../baseline/jointformer_h3wb.py', '../_base_/seal/published.py']
