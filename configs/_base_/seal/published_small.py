# A small graph loss-net for short runs on a CPU.
custom_hooks = [
    dict(
        type='SEALHook',
        loss_net=dict(type='GraphLossNet', embed_dims=64, num_heads=4, depth=3),
        objective=dict(type='MarginObjective', distance='mpjpe', scale=1.0),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        energy_weight=4e-3,
    )
]
