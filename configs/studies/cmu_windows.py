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
_frames = dict(_delete_=True, type='BoneLossNet', features=('lengths', 'keypoints'))
_motion = ('lengths', 'keypoints', 'changes', 'motion')
_constant = {'test_evaluator.constant_bones': True}
_velocity = dict(velocity=dict(type='VelocityLoss', weight=2.0))
arms = dict(
    plain_longer=dict(wall_clock_of='seal_windows'),
    velocity_at_inference=dict(overrides={'model.losses_at_inference': _velocity}),
    seal=dict(config=_seal, overrides={_net: _frames}),
    seal_training=dict(config=_seal, overrides={_net: _frames}),
    seal_training_mild=dict(config=_seal, overrides={_net: _frames}),
    seal_windows=dict(config=_seal),
    seal_windows_motion=dict(config=_seal, overrides={f'{_net}.features': _motion}),
    seal_windows_constant_bones=dict(weights_of='seal_windows', overrides=_constant),
    seal_motion_constant_bones=dict(
        weights_of='seal_windows_motion', overrides=_constant
    ),
)
