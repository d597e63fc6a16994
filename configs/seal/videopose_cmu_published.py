_base_ = ['../baseline/videopose_cmu.py', '../_base_/seal/graph_margin_small.py']
