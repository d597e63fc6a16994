_base_ = ['../baseline/simplebaseline_h3wb.py', '../_base_/seal/published.py']
