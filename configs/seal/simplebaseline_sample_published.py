_base_ = [
    '../baseline/simplebaseline_sample.py',
    '../_base_/seal/graph_margin_small.py',
]
