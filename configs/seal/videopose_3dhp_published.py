_base_ = ['../baseline/videopose_3dhp.py', '../_base_/seal/published.py']
