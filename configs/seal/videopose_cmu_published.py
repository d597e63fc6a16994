_base_ = ['../baseline/videopose_cmu.py', '../_base_/seal/published_small.py']
