# SEAL against constraints on CMU motion capture, a small transformer of 27 frames:
# docs/results/structure.md.
_base_ = '../_base_/studies/rivals.py'
base = 'configs/baseline/poseformerv2_cmu.py'
overrides = {'train_cfg.max_epochs': 5}
seeds = [10, 11, 12, 13, 14]
arms = dict(seal=dict(config='configs/seal/poseformerv2_cmu.py'))
