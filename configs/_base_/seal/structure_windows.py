# As structure.py, for networks that predict windows: the loss-net sees their frames
# together. Less structure than frame by frame, at no cost of accuracy;
# docs/results/windows.md.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='TemporalLossNet'),
        objective=dict(
            type='RegressionObjective',
            distance=dict(bone_length=1.0, symmetry=0.25),
            scale=10.0,
        ),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_ratio=0.45,
        energy_at='auto',
        deconflict=True,
        warmup_iters=50,
    )
]
