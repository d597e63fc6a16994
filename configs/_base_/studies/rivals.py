# The arms that every study of SEAL shares: the baseline, its noise floor, the
# hand-written constraints at growing weights and at inference; and at test time, with
# the same weights, the mean bone lengths of the training people, a share of the way,
# one set of bones for each sequence, or both.
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
_weak = dict(
    symmetry=dict(type='SymmetryLoss', weight=0.03),
    bone=dict(type='BoneLengthLoss', weight=0.03),
)
_strong = dict(
    symmetry=dict(type='SymmetryLoss', weight=0.1),
    bone=dict(type='BoneLengthLoss', weight=0.1),
)
# Keeps those lengths, and changes nothing else.
overrides = {'model.bone_prior': dict(share=0.0)}
_quarter = {'model.bone_prior.share': 0.25}
_half = {'model.bone_prior.share': 0.5}
_constant = {'test_evaluator.constant_bones': True}
arms = dict(
    plain=dict(),
    plain_again=dict(perturb=1e-6),
    constraints_003=dict(overrides={'model.losses': _weak}),
    constraints_01=dict(overrides={'model.losses': _strong}),
    constraints_at_inference=dict(overrides={'model.losses_at_inference': _strong}),
    pose_at_inference=dict(
        overrides={
            'model.losses_at_inference': dict(again=dict(type='MPJPELoss', weight=0.45))
        }
    ),
    plain_prior_025=dict(weights_of='plain', overrides=_quarter),
    plain_prior_05=dict(weights_of='plain', overrides=_half),
    constraints_prior_025=dict(
        weights_of='constraints_at_inference', overrides=_quarter
    ),
    seal_prior_025=dict(weights_of='seal', overrides=_quarter),
    plain_constant_bones=dict(weights_of='plain', overrides=_constant),
    constraints_constant_bones=dict(
        weights_of='constraints_at_inference', overrides=_constant
    ),
    seal_constant_bones=dict(weights_of='seal', overrides=_constant),
    plain_both_025=dict(weights_of='plain', overrides={**_constant, **_quarter}),
    plain_both_05=dict(weights_of='plain', overrides={**_constant, **_half}),
    constraints_both_025=dict(
        weights_of='constraints_at_inference', overrides={**_constant, **_quarter}
    ),
    seal_both_025=dict(weights_of='seal', overrides={**_constant, **_quarter}),
)
