# SEAL over windows of 27 predicted frames and all frames of CMU:
# docs/results/windows.md.
_base_ = './cmu_videopose.py'
base = 'configs/baseline/videopose_windows_cmu.py'
overrides = {'train_cfg.max_epochs': 4}
measures = [
    'MPJPE',
    'P-MPJPE',
    'LSE',
    'BSLE',
    'LLE',
    'MPJVE',
    'MPSCE',
    'MPJPE-worst5',
]
_seal = 'configs/seal/videopose_windows_cmu.py'
_net = 'custom_hooks.0.loss_net'
_windows = dict(_delete_=True, type='TemporalLossNet')
_features = ('lengths', 'keypoints', 'changes', 'motion')
arms = dict(
    seal=dict(config=_seal),
    seal_training=dict(config=_seal),
    seal_training_mild=dict(config=_seal),
    seal_windows=dict(config=_seal, overrides={_net: _windows}),
    seal_windows_motion=dict(
        config=_seal, overrides={_net: dict(_windows, features=_features)}
    ),
    seal_windows_constant_bones=dict(
        weights_of='seal_windows', overrides={'test_evaluator.constant_bones': True}
    ),
)
