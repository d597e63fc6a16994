import pytest

from sealpose.apis.config import config_name, load_config
from tests.conftest import ROOT

CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for folder in ('configs/baseline', 'configs/seal', 'projects')
    for path in (ROOT / folder).rglob('*.py')
    if path.parent.name in ('baseline', 'seal', 'configs')
)


def test_options_replace_settings_and_the_work_dir_follows_the_name():
    cfg = load_config(
        ROOT / 'configs/seal/videopose_h36m.py',
        cfg_options={'model.backbone.channels': 8},
    )
    assert cfg.model.backbone.channels == 8
    assert cfg.work_dir == 'work_dirs/seal/videopose_h36m'
    assert config_name(cfg) == 'seal/videopose_h36m'


def test_missing_config_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no config .*nowhere\.py'):
        load_config(tmp_path / 'nowhere.py')


def test_misspelt_option_is_refused():
    with pytest.raises(KeyError, match="no 'modle'; it has .*model"):
        load_config(ROOT / 'configs/seal/videopose_h36m.py', cfg_options={'modle.x': 1})


@pytest.mark.parametrize('name', [c for c in CONFIGS if c.startswith('configs/seal')])
def test_a_seal_config_is_its_baseline_plus_the_hook(name):
    seal = load_config(ROOT / name).to_dict()
    beside = name.replace('/seal/', '/baseline/').replace('_published', '')
    baseline = load_config(ROOT / beside).to_dict()
    assert [hook['type'] for hook in seal.pop('custom_hooks')] == ['SEALHook']
    for settings in (seal, baseline):
        del settings['work_dir']
    assert seal == baseline
