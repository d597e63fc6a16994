_base_ = ['../baseline/videopose_sample.py', '../_base_/seal/graph_margin_small.py']
