"""H3WB from small files in each official form; every value followed by hand."""

import json

import numpy as np
import pytest
import torch

from sealpose.apis.preflight import preflight
from sealpose.datasets.h3wb import H3WB
from sealpose.datasets.h3wb_files import read_json
from sealpose.skeletons import get_skeleton
from tests.conftest import save_objects
from tests.official_files import h3wb_files
from tests.test_datasets.json_mutations import mutated_json, outcome

HEIGHTS = {'54138969': 1002, '55011271': 1000, '58860488': 1000, '60457274': 1002}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return h3wb_files(tmp_path_factory.mktemp('h3wb'))


def load(path, key='train_data'):
    return np.load(path, allow_pickle=True)[key].item()


def by_place(data):
    return {(s.subject, s.clip, s.camera): s for s in data.store.split()}


def check_values(sequence, view, height):
    points = view['camera_3d'] / 1000
    hips = (points[:, 11:12] + points[:, 12:13]) / 2
    np.testing.assert_allclose(sequence.keypoints_3d, points - hips, atol=1e-6)
    expected = view['pose_2d'] * 2 / 1000 - [1, height / 1000]
    np.testing.assert_allclose(sequence.keypoints_2d, expected, atol=1e-5)


def test_training_values_by_hand(root):
    found = by_place(H3WB(str(root), cache=False))
    raw = load(root / 'h3wb_train.npz')
    assert len(found) == 4 * 2 * 4
    for (subject, clip, camera), sequence in found.items():
        check_values(sequence, raw[subject][clip][camera], HEIGHTS[camera])
    assert found['S5', 'Walking 1', '54138969'].action == 'Walking'


@pytest.mark.parametrize('task', [1, 2])
def test_test_values_by_hand(root, task):
    found = by_place(H3WB(str(root), split='test', task=task, cache=False))
    raw = load(root / f'task{task}_test_3d.npz', 'data')['S8']
    assert {subject for subject, _, _ in found} == {'S8'}
    for (_, clip, camera), sequence in found.items():
        check_values(sequence, raw[clip][camera], HEIGHTS[camera])


def test_a_file_with_boxes_reads_alike(root, tmp_path):
    data = load(root / 'h3wb_train.npz')
    box = dict(x_min=1, y_min=2, x_max=3, y_max=4)
    save_objects(
        tmp_path / 'h3wb_train_bbox.npz',
        train_data=data,
        metadata={},
        bbox={'S1': {'Directions': {'54138969': [box] * 6}}},
    )
    plain, boxed = H3WB(str(root), cache=False), H3WB(str(tmp_path), cache=False)
    assert torch.equal(plain.store.keypoints_3d, boxed.store.keypoints_3d)


def json_content(root):
    """The training file in the JSON form, sample by sample."""
    content = {}
    for subject, actions in load(root / 'h3wb_train.npz').items():
        for action, entry in actions.items():
            for camera in HEIGHTS:
                view = entry[camera]
                for k, number in enumerate(view['sample_id']):
                    x, y = view['pose_2d'][k], view['camera_3d'][k]
                    content[str(number)] = dict(
                        image_path=f'{subject}/Images/{action}.{camera}/frame_0025.jpg',
                        bbox=dict(x_min=0, y_min=0, x_max=9, y_max=9),
                        keypoints_2d={
                            str(j): dict(x=x[j, 0], y=x[j, 1]) for j in range(133)
                        },
                        keypoints_3d={
                            str(j): dict(x=y[j, 0], y=y[j, 1], z=y[j, 2])
                            for j in range(133)
                        },
                    )
    return content


@pytest.fixture(scope='module')
def content(root):
    return json_content(root)


def write_json(folder, content):
    (folder / '2Dto3D_train.json').write_text(json.dumps(content))
    return str(folder)


def test_the_json_form_reads_alike(root, tmp_path, content):
    found = by_place(H3WB(write_json(tmp_path, content), cache=False))
    expected = by_place(H3WB(str(root), cache=False))
    assert found.keys() == expected.keys()
    for place, sequence in found.items():
        torch.testing.assert_close(
            sequence.keypoints_3d, expected[place].keypoints_3d, atol=1e-6, rtol=0
        )
        torch.testing.assert_close(
            sequence.keypoints_2d, expected[place].keypoints_2d, atol=1e-6, rtol=0
        )


def test_json_without_image_paths_takes_them_from_the_file_beside(
    root, tmp_path, content
):
    bare = json.loads(json.dumps(content))
    paths = {k: dict(image_path=s.pop('image_path')) for k, s in bare.items()}
    path = write_json(tmp_path, bare)
    with pytest.raises(ValueError, match='put RGBto3D_train.json beside it'):
        H3WB(path)
    (tmp_path / 'RGBto3D_train.json').write_text(json.dumps(paths))
    found, expected = by_place(H3WB(path)), by_place(H3WB(str(root)))
    assert found.keys() == expected.keys()


def test_other_forms_of_the_arrays_read_alike(root, tmp_path):
    data = load(root / 'h3wb_train.npz')
    for actions in data.values():
        for entry in actions.values():
            for camera in HEIGHTS:
                view = entry[camera]
                view['camera_3d'] = view['camera_3d'][:, None]
                view['pose_2d'] = view['pose_2d'][:, None]
                view['sample_id'] = np.array([str(n) for n in view['sample_id']])
    save_objects(tmp_path / 'h3wb_train.npz', train_data=data, metadata={})
    other, plain = H3WB(str(tmp_path)), H3WB(str(root))
    assert torch.equal(other.store.keypoints_3d, plain.store.keypoints_3d)


def test_masked_joints_of_the_second_task_lie_where_training_masks_them(root, tmp_path):
    data = load(root / 'task2_test_3d.npz', 'data')
    view = data['S8']['Directions']['55011271']
    view['pose_2d'][2, 91:112] = 0
    save_objects(tmp_path / 'task2_test_3d.npz', data=data)
    found = by_place(H3WB(str(tmp_path), split='test', task=2))
    x = found['S8', 'Directions', '55011271'].keypoints_2d
    masked = (x == 0).all(-1)
    assert masked[2, 91:112].all()
    assert masked.sum() == 21


def subjects(data):
    return {entry['subject'] for entry in data.store.sequences}


def test_splits_of_the_protocols(root):
    def load_split(split, protocol):
        return H3WB(str(root), split=split, protocol=protocol)

    assert subjects(load_split('train', 'official')) == {'S1', 'S5', 'S6', 'S7'}
    assert subjects(load_split('val', 'official')) == {'S8'}
    assert subjects(load_split('train', 's7')) == {'S1', 'S5', 'S6'}
    assert subjects(load_split('val', 's7')) == {'S7'}
    assert subjects(load_split('test', 's7')) == {'S8'}


def numbered_root(root, tmp_path):
    """The training file with its samples numbered through, as in the release."""
    data, number = load(root / 'h3wb_train.npz'), 0
    for actions in data.values():
        for entry in actions.values():
            for camera in HEIGHTS:
                count = len(entry[camera]['sample_id'])
                entry[camera]['sample_id'] = np.arange(number, number + count)
                number += count
    save_objects(tmp_path / 'h3wb_train.npz', train_data=data, metadata={})
    return str(tmp_path), number


def test_folds_are_consecutive_fifths_disjoint_and_complete(root, tmp_path):
    path, total = numbered_root(root, tmp_path)
    every = H3WB(path, cache=False).store.keypoints_3d[:, 0]
    held_out = []
    for fold in range(1, 6):
        val = H3WB(path, split='val', protocol=f'fold{fold}', cache=False)
        train = H3WB(path, split='train', protocol=f'fold{fold}', cache=False)
        assert len(val) + len(train) == total
        held_out.append(val.store.keypoints_3d[:, 0])
    sizes = [len(part) for part in held_out]
    # 192 samples: 38 a fold; the remainder trains in all folds, as officially.
    assert sizes == [total // 5] * 5
    assert torch.equal(torch.cat(held_out), every[: 5 * (total // 5)])


def test_temporal_networks_are_refused_unless_asked_for(tiny_cfg, root):
    cfg = tiny_cfg('configs/baseline/videopose_sample.py')
    cfg.model.skeleton = 'coco_wholebody133'
    cfg.train_dataloader.dataset = dict(type='H3WB', data_root=str(root))
    with pytest.raises(ValueError, match='VideoPose3D sees 27 frames, but H3WB'):
        preflight(cfg, 'train')
    cfg.train_dataloader.dataset = dict(
        type='H3WB', data_root=str(root), sparse_windows=True
    )
    assert len(preflight(cfg, 'train').datasets['train']) == 192
    cfg.model.backbone = dict(type='SimpleBaseline', channels=8)
    cfg.train_dataloader.dataset = dict(type='H3WB', data_root=str(root))
    assert len(preflight(cfg, 'train').datasets['train']) == 192


def lose_a_subject(data):
    del data['S6']


def lose_a_camera(data):
    del data['S1']['Directions']['58860488']


def pixels_of_nobody(data):
    view = data['S1']['Directions']['54138969']
    view['pose_2d'] = view['pose_2d'] / 1000


def the_same_number(data):
    view = data['S1']['Directions']['54138969']
    view['sample_id'][1] = view['sample_id'][0]


def numbers_of_letters(data):
    view = data['S1']['Directions']['54138969']
    view['sample_id'] = np.array(['first'] * 6)


def metres(data):
    view = data['S5']['Directions']['55011271']
    view['camera_3d'] = view['camera_3d'] / 1000


def drop_a_joint(data):
    view = data['S1']['Directions']['54138969']
    view['pose_2d'] = view['pose_2d'][:, :132]


def not_a_number(data):
    data['S1']['Directions']['54138969']['camera_3d'][2, 100] = np.nan


def lose_the_numbers(data):
    view = data['S1']['Directions']['54138969']
    view['sample_id'] = view['sample_id'][:-1]


def another_camera(data):
    data['S1']['Directions']['12345678'] = data['S1']['Directions'].pop('54138969')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lose_a_subject, "train_data: no entry 'S6'; present: S1, S5, S7"),
        (lose_a_camera, "S1/Directions: no entry '58860488'"),
        (pixels_of_nobody, r'2D keypoints lie around 0\.\d+; expected pixels'),
        (the_same_number, r'the sample number \d+ appears 2 times'),
        (numbers_of_letters, 'sample_id: expected whole numbers'),
        (metres, r'hips 0\.000\d+ m apart; .* not in millimetres'),
        (drop_a_joint, r'pose_2d: expected \(samples, 133, 2\), found \(6, 132, 2\)'),
        (not_a_number, 'S1/Directions/54138969: keypoints_3d .* not finite in 1'),
        (lose_the_numbers, '6 poses, 6 sets of 2D keypoints and 5 sample numbers'),
        (another_camera, 'S1/Directions: unknown camera 12345678; expected 54138969'),
    ],
)
def test_faulty_files_are_refused(root, tmp_path, change, message):
    data = load(root / 'h3wb_train.npz')
    change(data)
    save_objects(tmp_path / 'h3wb_train.npz', train_data=data, metadata={})
    with pytest.raises(ValueError, match=message):
        H3WB(str(tmp_path))


def test_faulty_json_is_refused(tmp_path, content):
    first = next(iter(content))
    for change, message in (
        (lambda s: s['keypoints_3d'].pop('77'), 'expected `keypoints_3d` .*132 joints'),
        (
            lambda s: s['keypoints_2d']['5'].pop('y'),
            'expected `keypoints_2d` with x, y',
        ),
        (lambda s: s.update(image_path='a.jpg'), "in `image_path` 'a.jpg'"),
    ):
        broken = json.loads(json.dumps({first: content[first]}))
        change(broken[first])
        with pytest.raises(ValueError, match=f"sample '{first}': .*{message}"):
            H3WB(write_json(tmp_path, broken))
    (tmp_path / '2Dto3D_train.json').write_text('{"0": ')
    with pytest.raises(ValueError, match='is not a JSON file'):
        H3WB(str(tmp_path))


def test_mutated_json_is_read_or_refused(tmp_path, content):
    path = tmp_path / 'mutated.json'
    original = {key: content[key] for key in list(content)[:2]}
    ends = set()
    for _, text in mutated_json([original], 200, seed=1):
        path.write_text(text, encoding='utf-8')
        ends.add(outcome(path, lambda p: list(read_json(p))))
    assert ends == {'read', 'refused'}


def test_empty_missing_and_damaged_files(root, tmp_path):
    with pytest.raises(FileNotFoundError, match='github.com/wholebody3d/wholebody3d'):
        H3WB(str(tmp_path))
    save_objects(tmp_path / 'task1_test_3d.npz', data={'S8': {}})
    with pytest.raises(ValueError, match='S8: no actions'):
        H3WB(str(tmp_path), split='test')
    path = tmp_path / 'h3wb_train.npz'
    path.write_bytes((root / 'h3wb_train.npz').read_bytes()[:-500])
    with pytest.raises(ValueError, match='is not an npz file, or is damaged'):
        H3WB(str(tmp_path))


@pytest.mark.parametrize(
    'settings', [dict(split='trainval'), dict(protocol='fold6'), dict(task=3)]
)
def test_unknown_choices_are_refused(root, settings):
    with pytest.raises(ValueError, match='expected one of'):
        H3WB(str(root), **settings)


def test_skeleton_is_that_of_coco_wholebody():
    skeleton = get_skeleton('coco_wholebody133')
    assert skeleton.num_joints == 133
    assert skeleton.origin_joints == (11, 12)
    assert skeleton.joint_set('body') == tuple(range(23))
    assert skeleton.joint_set('face') == tuple(range(23, 91))
    assert skeleton.joint_set('left_hand') == tuple(range(91, 112))
    assert skeleton.joint_set('right_hand') == tuple(range(112, 133))
    # Pairs of face landmarks that mirror each other, of 68, and those of the midline.
    pairs = {
        0: 16, 7: 9, 17: 26, 21: 22, 31: 35, 32: 34, 36: 45, 37: 44, 38: 43, 39: 42,
        40: 47, 41: 46, 48: 54, 49: 53, 50: 52, 59: 55, 58: 56, 60: 64, 61: 63, 67: 65,
    }  # fmt: skip
    midline = (8, 27, 28, 29, 30, 33, 51, 57, 62, 66)
    for a, b in (*pairs.items(), *((m, m) for m in midline)):
        assert skeleton.mirror[23 + a] == 23 + b
    assert all(skeleton.mirror[91 + i] == 112 + i for i in range(21))
    assert skeleton.parents[91] == 9
    assert skeleton.parents[112] == 10
    for base in (92, 96, 100, 104, 108):
        assert [skeleton.parents[base + i] for i in range(4)] == [
            91, base, base + 1, base + 2,
        ]  # fmt: skip
