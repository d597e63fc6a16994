_base_ = ['../baseline/motionagformer_3dhp.py', '../_base_/seal/graph_margin.py']
