# The arms that every study of SEAL shares: the baseline, its noise floor, and the
# hand-written constraints at growing weights.
baseline = 'plain'
measures = [
    'MPJPE',
    'P-MPJPE',
    'LSE',
    'BSLE',
    'LLE',
    'MPJVE',
    'MPJPE-worst5',
]
arms = dict(
    plain=dict(),
    plain_again=dict(perturb=1e-6),
    constraints_003=dict(
        overrides={
            'model.losses.symmetry': dict(type='SymmetryLoss', weight=0.03),
            'model.losses.bone': dict(type='BoneLengthLoss', weight=0.03),
        }
    ),
    constraints_01=dict(
        overrides={
            'model.losses.symmetry': dict(type='SymmetryLoss', weight=0.1),
            'model.losses.bone': dict(type='BoneLengthLoss', weight=0.1),
        }
    ),
)
