_base_ = ['../baseline/large_simplebaseline_h3wb.py', '../_base_/seal/structure.py']
