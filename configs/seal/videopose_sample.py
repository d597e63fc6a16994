_base_ = ['../baseline/videopose_sample.py', '../_base_/seal/structure.py']
