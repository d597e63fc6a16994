import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sealpose.datasets import CMUMocap
from sealpose.datasets.readers import read_npz
from sealpose.geometry.camera import (
    Camera,
    camera_ring,
    project_to_pixels,
    world_to_camera,
)
from tests.cmu_data import (
    STANDING,
    T_POSE,
    UNIT,
    find_cmu_root,
    write_amc,
    write_asf,
    write_bvh,
)
from tests.scripts import load_script

SCRIPT = Path(__file__).parents[2] / 'tools/dataset_converters/cmu_mocap.py'
FILES = ('data_3d_cmu.npz', 'data_2d_cmu_gt.npz')
converter = load_script('tools/dataset_converters/cmu_mocap.py')


def standing(frames, x=0.0, z=0.0):
    return [np.add(STANDING, (x, 0, z)) for _ in range(frames)]


def walking(frames, metres):
    """Walk along the file's z, which is the world's -y, away from the origin."""
    way = np.linspace(0, metres / UNIT, frames)
    return [np.add(STANDING, (0, 0, z)) for z in way]


@pytest.fixture
def tree(tmp_path):
    """Two subjects, one in each format, five clips."""
    src = tmp_path / 'src'
    write_asf(src / '77/77.asf')
    write_amc(src / '77/77_01.amc', standing(25))
    write_amc(src / '77/77_02.amc', walking(49, metres=2.2))
    write_amc(src / '77/77_03.amc', walking(49, metres=8))
    write_bvh(src / '88/88_01.bvh', standing(25), end='\r\n')
    write_bvh(src / '88/88_02.bvh', standing(13, x=-4))
    write_bvh(src / 'crosscheck_bvh/77_01.bvh', standing(5))
    return src


def label(src):
    groups = dict.fromkeys(('77_01', '77_02', '77_03', '88_01', '88_02'), 'stand')
    clips = [{'clip': name, 'group': group} for name, group in groups.items()]
    (src / 'clips.json').write_text(json.dumps({'clips': clips}))
    split = {
        'note': 'made up',
        'train': {'subjects': ['77', '99']},
        'val': {'subjects': []},
        'test': {'subjects': ['88']},
    }
    (src / 'split.json').write_text(json.dumps(split))


def convert(src, out, *options):
    code = converter.main([str(src), str(out), *options])
    (world,) = read_npz(out / FILES[0], 'positions_3d')
    pixels, metadata = read_npz(out / FILES[1], 'positions_2d', 'metadata')
    return code, world, pixels, metadata


def test_files_have_the_layout_of_the_community(tree, tmp_path, capsys):
    label(tree)

    code, world, pixels, metadata = convert(tree, tmp_path / 'out')

    assert code == 0
    assert {s: [*clips] for s, clips in world.items()} == {
        '77': ['77_01', '77_02', '77_03'],
        '88': ['88_01', '88_02'],
    }
    assert world['77']['77_01'].shape == (11, 17, 3)
    assert world['77']['77_01'].dtype == np.float32
    x, y, z = np.transpose(np.add(T_POSE, STANDING) * UNIT)
    for subject, clip in (('77', '77_01'), ('88', '88_01')):
        expected = np.broadcast_to(np.stack([x, -z, y], -1), (11, 17, 3))
        np.testing.assert_allclose(world[subject][clip], expected, atol=1e-6)
        assert [track.shape for track in pixels[subject][clip]] == [(11, 17, 2)] * 4
        # The pelvis is where all cameras look.
        for track in pixels[subject][clip]:
            np.testing.assert_allclose(track[:, 0], 500, atol=1e-3)
    assert metadata['fps'] == 50
    assert metadata['num_joints'] == 17
    assert metadata['layout_name'] == 'h36m'
    assert metadata['keypoints_symmetry'] == [
        [4, 5, 6, 11, 12, 13],
        [1, 2, 3, 14, 15, 16],
    ]
    assert metadata['actions']['88_02'] == 'stand'
    assert metadata['split'] == {'train': ['77'], 'val': [], 'test': ['88']}
    output = capsys.readouterr().out
    assert '[1/2] subject 77: 3 clips' in output
    assert '2 subjects: 5 clips' in output
    assert all(str(tmp_path / 'out' / name) in output for name in FILES)


def test_the_data_set_reads_the_files(tree, tmp_path):
    label(tree)
    convert(tree, tmp_path / 'out', '--cameras', '3')

    dataset = CMUMocap(data_root=str(tmp_path / 'out'), split='test')

    assert [s['camera'] for s in dataset.metainfo['sequences'][:3]] == [
        'cam0',
        'cam1',
        'cam2',
    ]
    # 13 frames at 120 Hz are 6 at 50 Hz, 25 are 11.
    assert len(dataset) == 3 * (6 + 11)


def test_2d_is_the_projection_of_3d(tree, tmp_path):
    _, world, pixels, metadata = convert(tree, tmp_path / 'out')

    cameras = [Camera(**camera) for camera in metadata['cameras']]
    for subject, clips in world.items():
        for clip, positions in clips.items():
            points = torch.from_numpy(positions).double()
            for camera, track in zip(cameras, pixels[subject][clip], strict=True):
                expected = project_to_pixels(world_to_camera(points, camera), camera)
                np.testing.assert_allclose(track, expected, atol=1e-3)
                assert (track >= 0).all()
                assert (track <= 1000).all()


def test_clip_out_of_view_is_recentred(tree, tmp_path):
    _, world, _, metadata = convert(tree, tmp_path / 'out')

    moved = metadata['recentred']
    assert sorted(moved) == ['77_02', '77_03']
    # Standing a bit aside is no reason to be moved.
    assert world['88']['88_02'][:, 0, 0] == pytest.approx(-4 * UNIT)
    shifted, scaled = moved['77_02'], moved['77_03']
    np.testing.assert_allclose(shifted['shift'], [0, 1.1], atol=1e-9)
    assert shifted['scale'] == 1
    assert 0.2 < scaled['scale'] < 1
    pelvis = world['77']['77_03'][:, 0]
    np.testing.assert_allclose(pelvis[:, :2].mean(0), 0, atol=1e-5)
    assert np.ptp(pelvis[:, 1]) == pytest.approx(8 * scaled['scale'], abs=1e-4)
    # Poses stay.
    relative = world['77']['77_03'] - pelvis[:, None]
    np.testing.assert_allclose(
        relative, np.broadcast_to(relative[:1], relative.shape), atol=1e-6
    )


def test_clip_is_scaled_just_enough(tree, tmp_path):
    _, world, _, metadata = convert(tree, tmp_path / 'out')

    scale = metadata['recentred']['77_03']['scale']
    cameras = camera_ring(4)
    clip = world['77']['77_03'].astype(float)
    way = clip[:, :1] * [1, 1, 0]

    def outermost(factor):
        points = torch.from_numpy(clip - way + factor * way)
        return max(
            (project_to_pixels(world_to_camera(points, c), c) - 500).abs().max().item()
            for c in cameras
        )

    assert 0 < scale < 1
    assert outermost(1) == pytest.approx(480, abs=0.01)
    assert outermost(1.05) > 485


def test_clip_that_fits_no_view_is_skipped(tree, tmp_path, capsys):
    write_amc(tree / '77/77_04.amc', [np.add(STANDING, (0, 3 / UNIT, 0))] * 5)

    code, world, _, _ = convert(tree, tmp_path / 'out')

    assert code == 1
    assert '77_04' not in world['77']
    assert '77_04.amc: the person does not fit' in capsys.readouterr().err


def test_noise_depends_on_seed_and_clip_alone(tree, tmp_path):
    _, world, clean, _ = convert(tree, tmp_path / 'clean')
    noise = ('--noise-px', '3')
    _, noisy_world, noisy, _ = convert(tree, tmp_path / 'a', *noise)
    _, _, other_seed, _ = convert(tree, tmp_path / 'b', *noise, '--seed', '1')
    (tree / '77/77_01.amc').unlink()
    _, _, fewer, _ = convert(tree, tmp_path / 'c', *noise)

    assert np.array_equal(world['77']['77_02'], noisy_world['77']['77_02'])
    residual = np.stack(noisy['77']['77_02']) - np.stack(clean['77']['77_02'])
    assert residual.std() == pytest.approx(3, rel=0.06)
    assert abs(residual.mean()) < 0.3
    assert np.array_equal(noisy['77']['77_02'], fewer['77']['77_02'])
    assert not np.allclose(noisy['77']['77_02'], other_seed['77']['77_02'])
    frames = np.stack(noisy['77']['77_01']) - np.stack(clean['77']['77_01'])
    assert not np.allclose(frames[:, :11], residual[:, :11])


def test_repair_is_the_default(tree, tmp_path):
    _, repaired, _, _ = convert(tree, tmp_path / 'a')
    _, as_it_is, _, metadata = convert(tree, tmp_path / 'b', '--no-repair')

    difference = (repaired['88']['88_01'] - as_it_is['88']['88_01'])[0] / UNIT
    np.testing.assert_allclose(difference[8], [0, 0, 2], atol=1e-5)
    np.testing.assert_allclose(difference[13], [1.5, 0, 2], atol=1e-5)
    np.testing.assert_allclose(difference[:8], 0, atol=1e-6)
    assert metadata['repaired'] is False
    assert np.array_equal(repaired['77']['77_01'], as_it_is['77']['77_01'])


def test_frame_rate(tree, tmp_path):
    _, slow, _, _ = convert(tree, tmp_path / 'a', '--fps', '30')
    _, full, _, metadata = convert(tree, tmp_path / 'b', '--fps', '120')

    # 48 intervals of 1/120 s.
    assert len(slow['77']['77_02']) == 13
    assert len(full['77']['77_02']) == 49
    assert metadata['fps'] == 120
    np.testing.assert_allclose(slow['77']['77_02'], full['77']['77_02'][::4], atol=1e-6)


def test_clip_in_both_formats_is_taken_once(tree, tmp_path):
    write_bvh(tree / '77/77_01.bvh', standing(100))

    code, world, _, _ = convert(tree, tmp_path / 'out')

    assert code == 0
    assert len(world['77']['77_01']) == 11


def test_broken_files_are_named_and_the_rest_is_written(tree, tmp_path, capsys):
    label(tree)
    amc, bvh = tree / '77/77_02.amc', tree / '88/88_01.bvh'
    amc.write_text(amc.read_text()[:-40])
    bvh.write_text('\n'.join(bvh.read_text().splitlines()[:-3]))
    write_amc(tree / '99/99_01.amc', standing(5))

    code, world, pixels, metadata = convert(tree, tmp_path / 'out')

    errors = capsys.readouterr().err.splitlines()
    assert code == 1
    assert len(errors) == 3
    assert '77_02.amc, line' in errors[0]
    assert 'frame 49' in errors[0]
    assert '88_01.bvh, line' in errors[1]
    assert 'expected 26 rows of motion' in errors[1]
    assert 'expected the skeleton 99.asf, found no .asf file' in errors[2]
    for content in (world, pixels):
        assert {s: [*c] for s, c in content.items()} == {
            '77': ['77_01', '77_03'],
            '88': ['88_02'],
        }
    assert sorted(metadata['actions']) == ['77_01', '77_03', '88_02']
    assert metadata['split']['train'] == ['77']


def test_frames_that_clips_json_counts(tree, tmp_path, capsys):
    entries = [
        {'clip': '77_01', 'group': 'stand', 'frames': 30},
        {'clip': '88_01', 'group': 'stand', 'frames': 26},
    ]
    (tree / 'clips.json').write_text(json.dumps({'clips': entries}))

    code, world, _, _ = convert(tree, tmp_path / 'out')

    assert code == 1
    assert 'expected 30 frames as clips.json says, found 25' in capsys.readouterr().err
    assert '88_01' in world['88']


def test_same_clip_name_for_two_subjects(tree, tmp_path, capsys):
    write_bvh(tree / '99/88_01.bvh', standing(5))

    code, world, _, _ = convert(tree, tmp_path / 'out')

    assert code == 1
    assert 'subject 88 has a clip 88_01 too' in capsys.readouterr().err
    assert '99' not in world


def test_without_labels_and_split(tree, tmp_path, capsys):
    code, _, _, metadata = convert(tree, tmp_path / 'out')

    assert code == 0
    assert set(metadata['actions'].values()) == {'unlabelled'}
    assert metadata['split'] == {}
    output = capsys.readouterr().out
    assert "5 clips have no label in clips.json: 'unlabelled'" in output
    assert 'no split.json' in output
    with pytest.raises(ValueError, match=r'has the splits \(none\)'):
        CMUMocap(data_root=str(tmp_path / 'out'))


def test_nothing_readable_writes_nothing(tmp_path, capsys):
    src, out = tmp_path / 'src', tmp_path / 'out'
    write_bvh(src / '88/88_01.bvh', [])

    assert converter.main([str(src), str(out)]) == 1
    assert 'has no readable clip; expected SUBJECT/' in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize('name', ['clips.json', 'split.json'])
@pytest.mark.parametrize('text', ['{', '[]', '{"clips": [1]}'])
def test_malformed_table(tree, tmp_path, capsys, name, text):
    (tree / name).write_text(text)

    assert converter.main([str(tree), str(tmp_path / 'out')]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f'{name}: expected {{' in line
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['{src}/absent', '{out}'], 'there is no folder .*absent'),
        (['{src}', '{src}/77/77.asf'], '77.asf is a file, expected a folder'),
        (['{src}'], 'required: OUT'),
        (['{src}', '{out}', '--fps', '0'], '--fps: expected a number from 1 to 120'),
        (['{src}', '{out}', '--fps', '240'], '--fps: expected a number from 1 to 120'),
        (['{src}', '{out}', '--fps', 'many'], "--fps: invalid int value: 'many'"),
        (['{src}', '{out}', '--cameras', '0'], '--cameras: expected a number from 1'),
        (['{src}', '{out}', '--noise-px', 'nan'], '--noise-px: expected a number'),
        (['{src}', '{out}', '--seed', '-1'], '--seed: expected a number from 0'),
    ],
)
def test_bad_arguments(tree, tmp_path, capsys, arguments, message):
    paths = {'src': tree, 'out': tmp_path / 'out'}

    with pytest.raises(SystemExit) as stop:
        converter.main([argument.format(**paths) for argument in arguments])

    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line)
    assert not (tmp_path / 'out').exists()


def test_interrupted_write_leaves_the_old_files(tree, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    convert(tree, out)
    before = {name: (out / name).read_bytes() for name in FILES}
    save = np.savez

    def interrupted(path, **entries):
        if 'metadata' in entries:
            Path(path).write_bytes(b'half')
            raise KeyboardInterrupt
        save(path, **entries)

    monkeypatch.setattr(np, 'savez', interrupted)
    with pytest.raises(KeyboardInterrupt):
        converter.main([str(tree), str(out), '--fps', '30'])

    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_script_runs_by_itself(tree, tmp_path):
    (tree / '88/88_02.bvh').write_text('HIERARCHY\n')

    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tree), str(tmp_path / 'out')],
        capture_output=True,
        text=True,
        cwd=SCRIPT.parents[2],
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert '88_02.bvh, line 1: expected a section MOTION' in done.stderr
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == sorted(FILES)


def test_real_data(tmp_path, capsys):
    root = find_cmu_root()

    code, world, pixels, metadata = convert(root, tmp_path, '--fps', '25')

    assert code == 0, capsys.readouterr().err
    assert len(metadata['actions']) == 117
    assert 'unlabelled' not in metadata['actions'].values()
    assert {name: len(s) for name, s in metadata['split'].items()} == {
        'train': 10,
        'val': 3,
        'test': 3,
    }
    tracks = [track for s in pixels.values() for c in s.values() for track in c]
    assert len(tracks) == 4 * 117
    assert min(track.min() for track in tracks) > 19
    assert max(track.max() for track in tracks) < 981
    positions = np.concatenate([w for clips in world.values() for w in clips.values()])
    ankles = positions[:, [3, 6], 2].min(1)
    assert 0.04 < np.median(ankles) < 0.12
    assert ankles.min() > -0.05
    assert min(m['scale'] for m in metadata['recentred'].values()) > 0.5
