_base_ = ['../baseline/poseformerv2_3dhp.py', '../_base_/seal/structure.py']
