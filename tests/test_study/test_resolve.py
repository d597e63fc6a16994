import pytest

from sealpose.study.resolve import fingerprint, grid, lengthen, resolve, set_value
from sealpose.study.spec import Arm, Study

BASE = 'configs/baseline/simplebaseline_sample.py'
SEAL = 'configs/seal/simplebaseline_sample.py'


def study_of(tmp_path, **entries):
    arms = dict(plain=Arm('plain'), seal=Arm('seal', SEAL))
    entries = dict(path=tmp_path / 's.py', seeds=(0,), baseline='plain', base=BASE) | (
        entries
    )
    return Study(arms=arms, **entries)


def test_overrides_of_study_then_arm_then_values(tmp_path):
    study = study_of(
        tmp_path, overrides={'model.backbone.channels': 8, 'optim_wrapper': {'x': 1}}
    )
    arm = Arm('a', overrides=dict(model=dict(backbone=dict(channels=16, depth=3))))
    cfg = resolve(study, arm, 7, {'model.backbone.depth': 4})
    assert cfg.model.backbone.channels == 16
    assert cfg.model.backbone.depth == 4
    assert cfg.model.backbone.type == 'SimpleBaseline'
    assert cfg.optim_wrapper.x == 1
    assert cfg.randomness.seed == 7
    assert cfg.default_hooks.checkpoint is None


def test_paths_reach_into_lists(tmp_path):
    study = study_of(tmp_path)
    path = 'custom_hooks.0.energy_ratio'
    cfg = resolve(study, study.arms['seal'], 0, {path: 0.5})
    assert cfg.custom_hooks[0].energy_ratio == 0.5
    objective = dict(_delete_=True, type='NCEObjective')
    arm = Arm('nce', SEAL, overrides={'custom_hooks.0.objective': objective})
    for seed in (0, 1):
        hook = resolve(study, arm, seed).custom_hooks[0]
        assert hook.objective == dict(type='NCEObjective')
    for wrong in ('custom_hooks.1.energy_weight', 'custom_hooks.x', 'modle.backbone.a'):
        with pytest.raises(ValueError, match='on the way of'):
            set_value(cfg, wrong, 1, 'seal')


def test_an_override_of_nothing_is_refused(tmp_path):
    study = study_of(tmp_path)
    with pytest.raises(ValueError, match="arm 'a', overrides: .*'modle'"):
        resolve(study, Arm('a', overrides={'modle.backbone.channels': 3}), 0)
    with pytest.raises(FileNotFoundError, match='no config'):
        resolve(study, Arm('a', 'configs/none.py'), 0)


def test_grid_is_the_product():
    arm = Arm('a', tune={'x': [1, 2], 'y': [3, 4]})
    assert grid(arm) == [
        {'x': 1, 'y': 3},
        {'x': 1, 'y': 4},
        {'x': 2, 'y': 3},
        {'x': 2, 'y': 4},
    ]
    assert grid(Arm('b')) == [{}]


def test_fingerprint_sees_what_matters_alone(tmp_path):
    study = study_of(tmp_path)
    cfg = resolve(study, study.arms['plain'], 0)
    training, whole = fingerprint(cfg), fingerprint(cfg, 'test')
    cfg.work_dir, cfg.log_level = 'elsewhere', 'ERROR'
    cfg.default_hooks.logger.interval = 7
    del cfg.default_hooks['short_history'], cfg.default_hooks['log_files']
    cfg.measured = dict(baseline=1)
    cfg.val_dataloader.batch_size = 2
    assert (fingerprint(cfg), fingerprint(cfg, 'test')) == (training, whole)
    cfg.test_dataloader.dataset.frames = 5
    assert fingerprint(cfg) == training
    assert fingerprint(cfg, 'test') != whole
    assert fingerprint(cfg, perturb=1) != fingerprint(cfg, perturb=2)
    for seed in (0, 1):
        same = fingerprint(resolve(study, study.arms['plain'], seed)) == training
        assert same == (seed == 0)
    cfg.optim_wrapper.optimizer.lr = 0.1
    assert fingerprint(cfg) != training


def test_longer_training_stretches_the_schedules(tmp_path):
    cfg = resolve(study_of(tmp_path), Arm('a'), 0)
    cfg.train_cfg.max_epochs = 10
    cfg.param_scheduler = [
        dict(type='LinearLR', begin=0, end=2),
        dict(type='CosineAnnealingLR', begin=2, end=10, T_max=8),
        dict(type='MultiStepLR', milestones=[4, 6]),
    ]
    lengthen(cfg, 2.53)
    assert cfg.train_cfg.max_epochs == 25
    warm, cosine, steps = cfg.param_scheduler
    assert (warm.begin, warm.end) == (0, 5)
    assert (cosine.begin, cosine.end, cosine.T_max) == (5, 25, 20)
    assert steps.milestones == [10, 15]
