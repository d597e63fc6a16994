_base_ = ['../baseline/jointformer_h3wb.py', '../_base_/seal/graph_margin.py']
