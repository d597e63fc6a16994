_base_ = [
    '../baseline/simplebaseline_sample.py',
    '../_base_/seal/published_small.py',
]
