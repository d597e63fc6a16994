import pytest

from sealpose.study.spec import load_study
from tests.test_study.tiny import write_study

TUNE = dict(plain={}, tuned=dict(tune={'optim_wrapper.optimizer.lr': [1e-3, 1e-2]}))
TUNING = dict(split='val', seeds=[100], measure='MPJPE')


def test_a_study_is_read_with_its_defaults(tmp_path):
    path = write_study(tmp_path / 'mine.py', TUNE, tuning=TUNING, _own=3)
    study = load_study(path)
    assert study.name == 'mine'
    assert study.split == 'test'
    assert study.seeds == (0, 1)
    assert study.tuning.seeds == (100,)
    assert study.arms['tuned'].tune == {'optim_wrapper.optimizer.lr': [1e-3, 1e-2]}
    assert study.arms['plain'].perturb == 0


def test_a_study_may_have_a_base(tmp_path):
    write_study(tmp_path / 'base.py', dict(plain={}, other=dict(perturb=0.1)))
    objective = dict(_delete_=True, type='NCEObjective')
    arm = dict(overrides={'custom_hooks.0.objective': objective})
    path = tmp_path / 'child.py'
    path.write_text(f"_base_ = 'base.py'\nseeds = [3]\narms = dict(new={arm})\n")
    study = load_study(path)
    assert list(study.arms) == ['plain', 'other', 'new']
    assert study.seeds == (3,)
    assert study.arms['new'].overrides == arm['overrides']


@pytest.mark.parametrize(
    'arms, entries, message',
    [
        (TUNE, dict(tuning={**TUNING, 'split': 'test'}), 'validation split alone'),
        (TUNE, dict(tuning={**TUNING, 'seeds': [1, 100]}), r'seeds \[1\] are both'),
        (TUNE, dict(tuning=TUNING, split='val'), 'tuning chose on'),
        (TUNE, {}, 'needs tuning'),
        (TUNE, dict(tuning={**TUNING, 'measure': 'MPJE'}), 'Did you mean .*MPJPE'),
        ({}, {}, 'at least one arm'),
        (dict(other={}), {}, "baseline 'plain' is none of the arms other"),
        (dict(plain=dict(overridez={})), {}, "did you mean 'overrides'"),
        (dict(plain={}), dict(seeds=[0, 0]), 'different whole numbers'),
        (dict(plain={}), dict(seeds=[]), 'different whole numbers'),
        (dict(plain={}), dict(sedes=[0]), "did you mean 'seeds'"),
        (dict(plain={}), dict(split='train'), 'expected val or test'),
        (dict(plain={}), dict(base=None), 'names no config'),
        (dict(plain={}, x=dict(init_from='y')), {}, "'y' is no other arm"),
        (dict(plain={}, x=dict(wall_clock_of='x')), {}, "'x' is no other arm"),
        (dict(plain={}, x=dict(tune={'a': 3})), {}, 'lists of values'),
        ({'plain': {}, 'a/b': {}}, {}, 'names a folder'),
        (
            dict(plain={}, x=dict(init_from='y'), y=dict(wall_clock_of='x')),
            {},
            'x, y wait for each other',
        ),
    ],
)
def test_mistakes_are_named(tmp_path, arms, entries, message):
    path = write_study(tmp_path / 'study.py', arms, **entries)
    with pytest.raises(ValueError, match=message) as caught:
        load_study(path)
    assert str(path) in str(caught.value)


def test_a_missing_study(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no study .*none.py'):
        load_study(tmp_path / 'none.py')
