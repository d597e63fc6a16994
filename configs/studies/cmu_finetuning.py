# A trained SimpleBaseline goes on for a fifth of its updates: as it was, with SEAL, or
# with constraints; docs/results/structure.md. `--reuse` the folder of
# cmu_simplebaseline_long.py, which has the trained ones.
_base_ = './cmu_simplebaseline_long.py'
baseline = 'continued'
_short = {'train_cfg.max_epochs': 5, 'optim_wrapper.optimizer.lr': 3e-4}
arms = dict(
    plain=dict(own_updates=True),
    continued=dict(init_from='plain', overrides=_short),
    continued_seal=dict(
        init_from='plain', config='configs/seal/simplebaseline_cmu.py', overrides=_short
    ),
    continued_constraints=dict(
        init_from='plain',
        overrides={**_short, 'model.losses_at_inference': {{_base_._strong}}},
    ),
)
