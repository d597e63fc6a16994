_base_ = ['../baseline/simplebaseline_cmu.py', '../_base_/seal/graph_margin_small.py']
