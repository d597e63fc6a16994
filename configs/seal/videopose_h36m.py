_base_ = ['../baseline/videopose_h36m.py', '../_base_/seal/structure.py']
