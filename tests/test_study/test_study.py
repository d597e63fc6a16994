"""A whole study, in this process."""

import json
import os
import time

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from sealpose.apis import build_tester, evaluate
from sealpose.evaluation.functional import mpjpe
from sealpose.registry import HOOKS
from sealpose.skeletons import get_skeleton
from tests.conftest import ROOT
from tests.test_study.tiny import STUDY, notes, run_tool, write_study

BONE = {'model.losses.bone': dict(type='BoneLengthLoss')}
ARMS = dict(
    plain={},
    again=dict(perturb=1e-3),
    broken=dict(overrides={'model.backbone.chanels': 3}),
    from_broken=dict(init_from='broken'),
    bones=dict(overrides=BONE, tune={'model.losses.bone.weight': [0.1, 1e3]}),
    finetuned=dict(init_from='bones'),
    longer=dict(wall_clock_of='slow'),
    slow=dict(overrides={'custom_hooks': [dict(type='BusyHook')]}),
    short=dict(overrides={'train_cfg.max_epochs': 1}),
    flipping=dict(weights_of='finetuned', overrides={'model.flip_test': True}),
    rigid=dict(weights_of='plain', overrides={'test_evaluator.constant_bones': True}),
    of_broken=dict(weights_of='broken'),
)
TUNING = dict(split='val', seeds=[100], measure='MPJPE', allow=dict(LSE=50.0))


@HOOKS.register_module()
class BusyHook(Hook):
    """Makes an iteration take 50 ms of processor time more."""

    def after_train_iter(self, *args, **kwargs):
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass


@pytest.fixture(scope='module')
def study(tmp_path_factory):
    """The study file, its folder, and the exit code of the first run."""
    folder = tmp_path_factory.mktemp('study')
    path = write_study(folder / 'tiny.py', ARMS, tuning=TUNING)
    torch.set_num_threads(1)
    return path, folder / 'work', run_tool(path, '--work-dir', folder / 'work')


@pytest.fixture(scope='module')
def runs(study):
    return study[1] / 'runs'


@pytest.fixture(scope='module')
def report(study):
    return json.loads((study[1] / 'report.json').read_text())


def weights(folder):
    return torch.load(folder / 'last.pth', weights_only=True)['state_dict']


def test_a_failing_arm_is_reported_and_the_others_go_on(study, report):
    assert study[2] == 1
    assert all('chanels' in line for line in report['failures'][:1])
    assert [line.split(':')[0] for line in report['failures']] == [
        f'{arm} seed {seed}'
        for seed in (0, 1)
        for arm in ('broken', 'from_broken', 'of_broken')
    ]
    assert 'needs broken seed 0' in report['failures'][1]
    assert report['arms']['broken']['missing'] == [0, 1]
    assert report['arms']['broken']['figures'] == {}
    text = (study[1] / 'report.md').read_text()
    assert 'broken: NO RUN of the seeds 0, 1' in text
    assert report['arms']['bones']['missing'] == []


def test_the_figures_are_those_of_a_test(runs, report, tmp_path):
    folder = runs / 'plain/seed_0'
    cfg = Config(notes(folder)['config'], filename=str(ROOT / STUDY['base']))
    cfg.work_dir, cfg.experiment_name = str(tmp_path), 'study_check'
    cfg.test_evaluator.measures = ['MPJPE', 'MPJVE', 'MPJPE-worst5']
    metric = evaluate(build_tester(cfg, folder / 'last.pth'))
    ours = report['arms']['plain']
    for measure, value in metric.report.action_mean.items():
        found = ours['figures'][measure]['per_seed']['0']
        assert found == pytest.approx(value, rel=1e-5)
    for action, figures in metric.report.per_action.items():
        found = ours['per_action']['MPJVE'][action]['per_seed']['0']
        assert found == pytest.approx(figures['MPJVE'], rel=1e-5)

    poses = metric.predictions
    pred, gt = (
        torch.from_numpy(poses[f'keypoints_3d_{key}']) for key in ('pred', 'gt')
    )
    joint = (pred - gt).norm(dim=-1).mean(0)[-1].item() * 1000
    found = ours['per_joint']['right_wrist']['per_seed']['0']
    assert found == pytest.approx(joint, rel=1e-5)
    with np.load(folder / 'frames.npz') as frames:
        expected = mpjpe(pred, gt, get_skeleton('h36m17')).numpy()
        np.testing.assert_allclose(frames['values/MPJPE'], expected, rtol=1e-5)
        assert frames['values/MPJPE'].dtype == np.float32
        assert frames['lengths/MPJVE'].sum() == len(pred) - len(frames['subject'])
        assert frames['joints'].shape == (len(frames['subject']), 17)
        assert {'subject', 'action', 'clip', 'camera'} <= set(frames.files)


def test_an_arm_can_be_another_one_tested_in_another_way(runs, report):
    trained, tested = (runs / f'{arm}/seed_0' for arm in ('finetuned', 'flipping'))
    assert all(
        torch.equal(value, weights(tested)[key])
        for key, value in weights(trained).items()
    )
    # The tuned value and the overrides of what it comes from are in its config, too.
    bone, again = (notes(folder)['config']['model'] for folder in (trained, tested))
    assert again.pop('flip_test') and not bone.pop('flip_test')
    assert again == bone
    # Nothing was trained: another training would have taken another time.
    times = [(folder / 'training.json').read_text() for folder in (trained, tested)]
    assert times[0] == times[1]
    note = 'evaluates the weights of finetuned in another way'
    assert report['arms']['flipping']['notes'] == [note]
    figures = [report['arms'][name]['figures'] for name in ('finetuned', 'flipping')]
    first, other = (found['MPJPE']['per_seed']['0'] for found in figures)
    assert first != other


def test_an_arm_can_be_tested_with_constant_bones(runs, report, tmp_path):
    folder = runs / 'rigid/seed_0'
    cfg = Config(notes(folder)['config'], filename=str(ROOT / STUDY['base']))
    cfg.work_dir, cfg.experiment_name = str(tmp_path), 'study_rigid'
    cfg.test_evaluator.measures = ['MPJPE', 'LSE']
    figures = evaluate(build_tester(cfg, folder / 'last.pth')).report.action_mean
    assert figures['LSE'] < 1e-3
    found = report['arms']['rigid']['figures']['MPJPE']['per_seed']['0']
    assert found == pytest.approx(figures['MPJPE'], rel=1e-5)
    assert found != report['arms']['plain']['figures']['MPJPE']['per_seed']['0']


def test_differences_are_paired_by_seed(report):
    plain, bones = (
        report['arms'][arm]['figures']['MPJPE'] for arm in ('plain', 'bones')
    )
    a, b = (bones['per_seed'][seed] - plain['per_seed'][seed] for seed in ('0', '1'))
    assert bones['paired']['mean'] == pytest.approx((a + b) / 2)
    # The standard error of two differences is half their distance.
    assert bones['paired']['half'] == pytest.approx(12.7062 * abs(a - b) / 2, rel=1e-4)
    assert plain['paired'] is None
    assert report['arms']['bones']['figures']['MPJPE-worst5']['bootstrap'] is None


def test_all_arms_of_a_seed_start_from_the_same_weights(runs):
    results = {
        (arm, seed): notes(runs / arm / f'seed_{seed}')
        for arm in ('plain', 'again', 'bones', 'slow', 'finetuned')
        for seed in (0, 1)
    }
    first = results['plain', 0]['weights']
    assert results['plain', 1]['weights'] != first
    for arm in ('again', 'bones', 'slow'):
        assert results[arm, 0]['weights'] == first
        assert results[arm, 0]['updates'] == results['plain', 0]['updates']
    assert results['finetuned', 0]['weights'] != first
    assert results['finetuned', 0]['updates'] == results['plain', 0]['updates']


def test_the_perturbed_arm_is_the_noise_floor(runs, report):
    assert list(report['arms'])[:2] == ['plain', 'again']
    assert 'noise floor' in report['arms']['again']['notes'][0]
    assert report['arms']['again']['fault'] == ''
    plain, again = (weights(runs / arm / 'seed_0') for arm in ('plain', 'again'))
    assert any((plain[name] != again[name]).any() for name in plain)


def test_values_are_tuned_on_the_validation_split(study, runs):
    tuning = notes(study[1], 'tuning.json')['bones']
    assert tuning['split'] == 'val'
    weak, strong = tuning['tried']
    assert weak['chosen'] == (weak['mean']['MPJPE'] < strong['mean']['MPJPE'])
    chosen = next(tried for tried in tuning['tried'] if tried['chosen'])
    config = notes(runs / 'bones/seed_0')['config']
    assert (
        config['model']['losses']['bone']['weight']
        == (chosen['values']['model.losses.bone.weight'])
    )
    for path in (study[1] / 'tuning').rglob('result.json'):
        found = json.loads(path.read_text())
        assert (found['split'], found['seed']) == ('val', 100)


def test_a_finetuned_arm_starts_from_the_weights_of_its_seed(runs, tmp_path):
    path = write_study(
        tmp_path / 'still.py',
        dict(
            plain={},
            # So small a step leaves the weights as they were loaded.
            still=dict(
                init_from='plain', overrides={'optim_wrapper.optimizer.lr': 1e-12}
            ),
        ),
        seeds=[1],
    )
    assert run_tool(path, '--work-dir', tmp_path) == 0
    plain, still = (
        weights(tmp_path / f'runs/{arm}/seed_1') for arm in ('plain', 'still')
    )
    for name, value in plain.items():
        if 'running' not in name and 'num_batches' not in name:
            assert torch.allclose(value, still[name], atol=1e-6)


def test_the_clock_of_another_arm(study, runs):
    decided = notes(study[1], 'lengths.json')['longer']
    assert decided['factor'] > 1.5
    assert decided['factor'] == pytest.approx(
        decided['seconds']['slow'] / decided['seconds']['plain']
    )
    for seed in (0, 1):
        longer, plain = (
            notes(runs / f'{arm}/seed_{seed}') for arm in ('longer', 'plain')
        )
        assert longer['epochs'] == round(2 * decided['factor'])
        assert longer['updates'] > plain['updates']


def test_another_number_of_updates_must_be_declared(report):
    short = report['arms']['short']
    assert 'own_updates=True' in short['fault']
    assert short['figures']['MPJPE']['paired'] is None
    assert report['arms']['longer']['fault'] == ''


def files(folder):
    return {
        path: path.stat().st_mtime_ns
        for name in ('result.json', 'last.pth')
        for path in folder.rglob(name)
    }


def test_what_is_done_is_skipped_and_what_changed_is_not(study, capsys, tmp_path):
    path, work, _ = study
    before = files(work)
    assert run_tool(path, '--work-dir', work, '--arms', 'plain', 'bones') == 1
    assert files(work) == before
    skipped = capsys.readouterr().out.splitlines()[0]
    assert skipped.startswith('skipping what is done: ')
    assert 'plain seed 0' in skipped and 'bones candidate 1 seed 100' in skipped

    changed = {**ARMS, 'again': dict(perturb=2e-3)}
    other = write_study(tmp_path / 'tiny.py', changed, tuning=TUNING)
    run_tool(other, '--work-dir', work, '--arms', 'again', 'plain', '--seeds', 0)
    redone = {p for p, changed in files(work).items() if changed != before[p]}
    assert {p.parent.relative_to(work).as_posix() for p in redone} == {
        'runs/again/seed_0'
    }


def test_another_measure_needs_no_other_training(tmp_path):
    arms = dict(plain={})
    path = write_study(tmp_path / 'tiny.py', arms, seeds=[0])
    assert run_tool(path, '--work-dir', tmp_path) == 0
    before = files(tmp_path)
    write_study(path, arms, seeds=[0], measures=['MPJPE', 'LSE'])
    assert run_tool(path, '--work-dir', tmp_path) == 0
    changed = {p.name for p, at in files(tmp_path).items() if at != before[p]}
    assert changed == {'result.json'}
    figures = json.loads((tmp_path / 'report.json').read_text())['arms']['plain']
    assert set(figures['figures']) == {'MPJPE', 'LSE'}


def test_trainings_of_another_study_are_used(study, tmp_path, capsys):
    path, work, _ = study
    seeds = ['--seeds', 0, '--arms', 'longer', 'finetuned']
    other = tmp_path / 'other'
    assert run_tool(path, '--work-dir', other, *seeds, '--reuse', work) == 0
    text = capsys.readouterr().out
    for arm in ('plain', 'slow', 'bones', 'finetuned'):
        assert f'{arm} seed 0: trained already in ' in text
        ours, theirs = (d / f'runs/{arm}/seed_0' for d in (other, work))
        assert notes(ours, 'training.json') == notes(theirs, 'training.json')
        assert notes(ours)['result_hash'] == notes(theirs)['result_hash']
    with pytest.raises(SystemExit, match='no folder .*none to reuse'):
        run_tool(path, '--work-dir', other, '--reuse', tmp_path / 'none')


def test_a_report_of_what_is_done_so_far(study, tmp_path, capsys):
    arms = {**ARMS, 'new': dict(overrides=BONE)}
    path = write_study(tmp_path / 'tiny.py', arms, tuning=TUNING, seeds=[0, 1, 2])
    assert run_tool(path, '--work-dir', study[1], '--report-only') == 1
    found = json.loads((study[1] / 'report.json').read_text())['arms']
    assert found['new']['missing'] == [0, 1, 2]
    assert found['bones']['missing'] == [2]
    assert found['bones']['figures']['MPJPE']['paired']['seeds'] == 2
    assert '2 of 3' in capsys.readouterr().out
    for name in ('report.md', 'report.tex'):
        assert 'bones' in (study[1] / name).read_text()


def test_the_averaged_weights_are_evaluated(tmp_path):
    # The average keeps the weights of its first update, up to 1e-12.
    ema = dict(
        type='EMAHook',
        ema_type='ExponentialMovingAverage',
        momentum=1e-12,
        update_buffers=True,
    )
    arms = dict(
        plain=dict(overrides={'custom_hooks': [dict(type='StopHook')]}),
        ema=dict(overrides={'custom_hooks': [ema]}),
    )
    path = write_study(tmp_path / 'tiny.py', arms, seeds=[0])
    assert run_tool(path, '--work-dir', tmp_path) == 0
    first, averaged = (
        weights(tmp_path / f'runs/{arm}/seed_0') for arm in ('plain', 'ema')
    )
    for name, value in first.items():
        assert torch.allclose(value.float(), averaged[name].float(), atol=1e-5), name


@HOOKS.register_module()
class StopHook(Hook):
    """Puts the weights of the first update back in the end."""

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 0:
            state = runner.model.state_dict()
            self.first = {name: value.clone() for name, value in state.items()}

    def after_train(self, runner):
        runner.model.load_state_dict(self.first)


def test_tuning_is_refused_where_validation_is_test(tmp_path, capsys):
    arms = dict(plain={}, bones=ARMS['bones'])
    same = {'val_dataloader.dataset.split': 'test'}
    arms['plain'] = dict(overrides=same)
    path = write_study(tmp_path / 'tiny.py', arms, tuning=TUNING)
    with pytest.raises(SystemExit, match='sequences are in the validation and in the'):
        run_tool(path, '--work-dir', tmp_path)


def test_no_two_programs_in_one_folder(tmp_path):
    import fcntl

    path = write_study(tmp_path / 'tiny.py', dict(plain={}))
    with open(tmp_path / '.lock', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SystemExit, match='another study.py is running'):
            run_tool(path, '--work-dir', tmp_path)


def test_unknown_arms_and_configs_end_in_one_line(tmp_path):
    path = write_study(tmp_path / 'tiny.py', dict(plain={}))
    with pytest.raises(SystemExit, match='--arms: the study has no plane'):
        run_tool(path, '--work-dir', tmp_path, '--arms', 'plane')
    write_study(path, dict(plain={}, longer=dict(wall_clock_of='plain', config='x.py')))
    with pytest.raises(SystemExit, match=r'no config x.py'):
        run_tool(path, '--work-dir', tmp_path)
    assert not os.path.exists(tmp_path / 'runs')
