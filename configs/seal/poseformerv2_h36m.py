_base_ = ['../baseline/poseformerv2_h36m.py', '../_base_/seal/structure.py']
