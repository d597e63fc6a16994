_base_ = ['../baseline/ktpformer_3dhp.py', '../_base_/seal/graph_margin.py']
