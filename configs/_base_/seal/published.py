# The graph loss-net and the margin objective with the sizes of the published runs.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='GraphLossNet'),
        objective=dict(type='MarginObjective', distance='mpjpe', scale=1.0),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-4)),
        energy_weight=1e-3,
    )
]
