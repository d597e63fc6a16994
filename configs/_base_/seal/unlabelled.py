# Where few windows have truth: the energy of structure.py, weaker and on all windows.
# It mends structure without truth; docs/results/few_labels.md.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='BoneLossNet', features=('lengths', 'keypoints')),
        objective=dict(
            type='RegressionObjective',
            distance=dict(bone_length=1.0, symmetry=0.25),
            scale=10.0,
        ),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_ratio=0.1,
        energy_at='auto',
    )
]
