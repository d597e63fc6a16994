import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from sealpose.analysis.corruptions import KINDS
from sealpose.analysis.load import frames_at_once
from sealpose.apis import build_tester, build_trainer, evaluate
from sealpose.apis.preflight import build_model
from sealpose.evaluation.predictions import load_predictions, save_predictions
from sealpose.seal import MLPLossNet
from tests.scripts import load_script
from tests.test_analysis.analytic import Distance

tool = load_script('tools/analysis_tools/analyze_energy.py')

SEAL = 'configs/seal/videopose_sample.py'
PLAIN = 'configs/baseline/videopose_sample.py'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('energy')


@pytest.fixture
def trained(tiny_cfg, folder):
    """Config and checkpoint of a tiny run with SEAL and of one without."""

    def train(name, config):
        path = folder / f'{name}.py', folder / f'{name}.pth'
        if not path[1].exists():
            cfg = tiny_cfg(config, name, **{'train_cfg.max_epochs': 1})
            cfg.dump(path[0])
            runner = build_trainer(cfg)
            runner.train()
            runner.save_checkpoint(
                str(folder), path[1].name, save_param_scheduler=False
            )
        return [str(p) for p in path]

    return {
        'seal': train('seal', SEAL),
        'plain': train('plain', PLAIN),
    }


@pytest.fixture
def predictions(trained, tiny_cfg, folder):
    """What the pose-net without SEAL predicts, as tools/test.py saves it."""
    path = folder / 'plain.npz'
    if not path.exists():
        cfg = tiny_cfg(PLAIN, 'test')
        metric = evaluate(build_tester(cfg, trained['plain'][1]))
        save_predictions(path, metric.predictions)
    return path


def run(folder, *arguments):
    out = folder / 'out'
    few = ['--max-frames', '60', '--steps', '2', '--step-lengths', '1', '4']
    assert tool.main([*map(str, arguments), *few, '--out', str(out)]) == 0
    return json.loads((out / 'analysis.json').read_text()), out


def test_transfer_to_a_pose_net_that_the_loss_net_never_saw(
    trained, predictions, folder, capsys
):
    found, out = run(folder, *trained['seal'], '--predictions', predictions)
    seal, plain = found['predictions']
    assert (seal['frames'], plain['frames']) == (60, 60)
    assert plain['name'] == 'baseline/videopose_sample'
    assert plain['name'] in capsys.readouterr().out
    # The same frames, so the energies of the truth are the same.
    assert plain['overview']['energy_true']['value'] == pytest.approx(
        seal['overview']['energy_true']['value'], rel=1e-4
    )
    assert plain['overview']['errors'] != seal['overview']['errors']
    lengths = [(s['direction'], s['length_mm']) for s in plain['steps']]
    assert lengths == [('energy', 1), ('random', 1), ('energy', 4), ('random', 4)]
    assert len(plain['attribution']['joints']) == 17
    assert {c['kind'] for c in found['corruptions']} == {k.type for k in KINDS}
    text = (out / 'analysis.md').read_text()
    for kind in KINDS:
        assert kind.type in text
    for picture in ('energy_error', 'corruptions', 'calibration', 'steps', 'joints'):
        assert imread(out / f'{picture}.png').shape[0] > 300


def test_figures_are_those_of_a_test(trained, folder, tiny_cfg, monkeypatch):
    monkeypatch.setattr(tool, 'pictures', lambda *_: {})
    cfg = tiny_cfg(PLAIN, 'again')
    metric = evaluate(build_tester(cfg, trained['seal'][1]))
    code = ['--max-frames', '100000', '--steps', '1', '--step-lengths', '1']
    out = folder / 'all'
    assert tool.main([*trained['seal'], *code, '--out', str(out)]) == 0
    found = json.loads((out / 'analysis.json').read_text())
    (own,) = found['predictions']
    assert own['frames'] == metric.report.frames
    for name in ('MPJPE', 'P-MPJPE', 'LSE', 'BSLE', 'LLE'):
        assert own['overview']['errors'][name]['value'] == pytest.approx(
            metric.report.frame_mean[name], rel=1e-4
        )


def test_a_pose_net_without_seal_and_the_loss_net_of_another_run(
    trained, folder, monkeypatch
):
    monkeypatch.setattr(tool, 'pictures', lambda *_: {})
    plain, seal = trained['plain'], trained['seal']
    found, _ = run(
        folder, *plain, '--loss-net', seal[1], '--loss-net-config', seal[0],
        '--split', 'val',
    )  # fmt: skip
    assert (found['loss_net'], found['split']) == (seal[1], 'val')
    ranked = found['predictions'][0]['ranking']['ranked_right_%']['value']
    assert math.isfinite(ranked)


def test_a_loss_net_over_windows_sees_as_many_frames_as_in_training(tiny_cfg):
    cfg = tiny_cfg(SEAL)
    cfg.train_dataloader.dataset.update(input_frames=35, output_frames=9)
    backbone = build_model(cfg).backbone
    assert frames_at_once(Distance(), cfg, backbone) == 9
    assert frames_at_once(MLPLossNet('h36m17', hidden_dims=8), cfg, backbone) == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (lambda t: t['plain'], 'has no SEALHook.*--loss-net-config'),
        (lambda t: [t['seal'][0], t['plain'][1]], 'holds no loss-net.*--loss-net'),
        (
            lambda t: [*t['seal'], '--predictions', 'nowhere.npz'],
            'nowhere.npz',
        ),
    ],
)
def test_what_lacks_a_loss_net_is_refused_in_one_line(trained, arguments, message):
    with pytest.raises(SystemExit, match=message) as error:
        tool.main(arguments(trained))
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'dataset': np.array('Human36M')}, 'holds predictions on Human36M'),
        ({'skeleton': np.array('mpi_inf_3dhp17')}, "loss-net scores 'h36m17'"),
        ({'keypoints_3d_gt': np.nan}, 'the truth is needed here'),
        ({'sequence': 99}, 'one of the sequences'),
    ],
)
def test_predictions_of_other_data_are_refused(
    trained, predictions, tmp_path, change, message
):
    entries = load_predictions(predictions)
    for key, value in change.items():
        whole = isinstance(value, np.ndarray)
        entries[key] = value if whole else np.full_like(entries[key], value)
    path = tmp_path / 'other.npz'
    save_predictions(path, entries)
    with pytest.raises(SystemExit, match=message):
        tool.main([*trained['seal'], '--predictions', str(path)])


def test_impossible_numbers_are_refused(capsys):
    with pytest.raises(SystemExit) as error:
        tool.main([SEAL, 'a.pth', '--max-frames', '0'])
    assert error.value.code == 2
    assert 'must be positive' in capsys.readouterr().err
