import json
from dataclasses import replace

import pytest
from matplotlib.image import imread

from sealpose.apis import build_tester, build_trainer, evaluate
from tests.conftest import ROOT
from tests.scripts import load_script

sweep = load_script('tools/analysis_tools/sweep_robustness.py')

CONFIG = 'configs/baseline/simplebaseline_sample.py'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('sweep')


@pytest.fixture
def checkpoint(tiny_cfg, folder):
    """A checkpoint of a tiny training, and the config that it belongs to."""
    config, path = folder / 'tiny.py', folder / 'tiny.pth'
    if not path.exists():
        cfg = tiny_cfg(CONFIG, 'train')
        cfg.dump(config)
        runner = build_trainer(cfg)
        runner.train()
        runner.save_checkpoint(str(folder), path.name, save_param_scheduler=False)
    return str(config), str(path)


def run(folder, *arguments):
    out = folder / 'sweep.json'
    code = sweep.main(
        [*arguments, '--out', str(out), '--work-dir', str(folder / 'work')]
    )
    assert code == 0
    return json.loads(out.read_text())


def test_every_setting_runs_and_the_figures_are_those_of_a_test(
    checkpoint, folder, tiny_cfg, capsys, monkeypatch
):
    for name, setting in sweep.SETTINGS.items():
        few = setting.severities[-2::2]
        monkeypatch.setitem(sweep.SETTINGS, name, replace(setting, severities=few))
    picture = folder / 'sweep.png'
    arguments = ['--measures', 'MPJPE', '--plot', str(picture)]
    found = run(folder, *checkpoint, *arguments)
    settings = [result['setting'] for result in found['results']]
    assert settings[0] == 'clean'
    assert {name: settings.count(name) for name in sweep.SETTINGS} == {
        name: len(setting.severities) for name, setting in sweep.SETTINGS.items()
    }
    table = capsys.readouterr().out
    for setting in sweep.SETTINGS.values():
        assert setting.axis.split(', ')[1] in table
    assert imread(picture).shape[1] > 4 * imread(picture).shape[0]

    cfg = tiny_cfg(CONFIG, 'test')
    cfg.test_dataloader.dataset.transforms = [dict(type='DetectorNoise', sigma=10)]
    report = evaluate(build_tester(cfg, checkpoint[1])).report
    (noisy,) = (
        result
        for result in found['results']
        if result['setting'] == 'noise' and result['severity'] == 10
    )
    assert noisy['figures']['MPJPE'] == pytest.approx(report.action_mean['MPJPE'])
    assert noisy['transforms'][0]['type'] == 'DetectorNoise'
    assert all(
        result['figures'] != found['results'][0]['figures']
        for result in found['results'][1:]
    )


def test_checkpoints_side_by_side_see_the_same_data(checkpoint, folder, capsys):
    other = folder / 'other.pth'
    other.write_bytes((folder / 'tiny.pth').read_bytes())
    pairs = [*checkpoint, checkpoint[0], str(other)]
    found = run(
        folder, *pairs, '--setting', 'missing', '--severities', '30', '--fill', 'last'
    )
    names = [model['name'] for model in found['models']]
    assert len(set(names)) == 2
    figures = {
        (result['model'], result['setting']): result['figures']
        for result in found['results']
    }
    for setting in ('clean', 'missing'):
        assert figures[names[0], setting] == figures[names[1], setting]
    assert figures[names[0], 'clean'] != figures[names[0], 'missing']
    assert found['results'][-1]['transforms'] == [
        {'type': 'MissingJoints', 'prob': 0.3, 'fill': 'last'}
    ]
    assert 'other.pth' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([CONFIG], 'expected pairs of CONFIG CHECKPOINT'),
        ([CONFIG, 'a.pth', '--severities', '1'], 'needs exactly one --setting'),
    ],
)
def test_bad_arguments_end_with_code_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as error:
        sweep.main(arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--setting', 'missing', '--severities', '130'], r'prob must lie in \[0, 1\]'),
        (['--setting', 'noise'], 'nowhere.pth'),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(tmp_path, arguments, message):
    with pytest.raises(SystemExit, match=message):
        sweep.main(
            [str(ROOT / CONFIG), str(tmp_path / 'nowhere.pth'), *arguments,
             '--work-dir', str(tmp_path)]
        )  # fmt: skip
