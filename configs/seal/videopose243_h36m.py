_base_ = ['../baseline/videopose243_h36m.py', '../_base_/seal/structure.py']
