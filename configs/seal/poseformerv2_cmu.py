_base_ = ['../baseline/poseformerv2_cmu.py', '../_base_/seal/structure.py']
