from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from PIL import Image

from sealpose.datasets import PoseSequence, WindowDataset
from sealpose.registry import DATASETS
from sealpose.skeletons import Skeleton, register_skeleton
from tests.conftest import ROOT
from tests.scripts import load_script

browse_dataset = load_script('tools/analysis_tools/browse_dataset.py')

SAMPLE = str(ROOT / 'configs/baseline/videopose_sample.py')
FEW = ['--cfg-options', 'test_dataloader.dataset.frames=30']


def browse(out, *arguments, config=SAMPLE):
    return browse_dataset.main(
        [config, '--split', 'test', '--out', str(out), *arguments, *FEW]
    )


def frames_of(path):
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            yield np.asarray(image.convert('RGB')).copy()


def test_a_strip_grows_with_its_frames(tmp_path):
    sizes = {}
    for frames in (':4', ':8', ':16'):
        out = tmp_path / f'{frames[1:]}.png'
        assert browse(out, '--frames', frames) == 0
        sizes[frames] = imread(out).shape[:2]
    assert sizes[':8'][0] == sizes[':4'][0]
    assert sizes[':8'][1] == pytest.approx(2 * sizes[':4'][1], abs=2)
    assert sizes[':16'][1] == sizes[':8'][1]
    assert sizes[':16'][0] > 1.8 * sizes[':8'][0]


def test_a_gif_moves(tmp_path):
    out = tmp_path / 'a.gif'
    assert browse(out, '--frames', '0:30:6', '--fps', '20') == 0
    pictures = list(frames_of(out))
    assert len(pictures) == 5
    assert all((a != b).any() for a, b in pairwise(pictures))
    with Image.open(out) as image:
        assert image.info['duration'] == 50


def test_search_shows_the_first_sequence_that_fits(tmp_path, capsys):
    assert browse(tmp_path / 'a.png', '--search', 'CAM2', '--frames', '3') == 0
    assert 'cam2 (' in capsys.readouterr().out
    by_number = tmp_path / 'b.png'
    assert browse(by_number, '--sequence', '2', '--frames', '3') == 0
    assert (imread(tmp_path / 'a.png') == imread(by_number)).all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--sequence', '4'], 'has the sequences 0 to 3'),
        (['--search', 'juggling'], "none of the 4 sequences .* like 'test01/"),
        (['--frames', '30:'], 'leaves 0 of the 30 frames'),
    ],
)
def test_what_is_not_there_is_refused(tmp_path, arguments, message):
    with pytest.raises(SystemExit, match=message):
        browse(tmp_path / 'a.png', *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('out', 'arguments', 'message'),
    [
        ('a.jpg', [], 'expected a file name in .png or .gif'),
        ('a.png', ['--frames', 'a:b'], "expected FIRST:LAST:STEP or a number, got 'a:"),
        ('a.gif', ['--fps', '0'], 'expected a positive number'),
    ],
)
def test_bad_arguments_end_with_code_2(tmp_path, capsys, out, arguments, message):
    with pytest.raises(SystemExit) as error:
        browse(tmp_path / out, *arguments)
    assert error.value.code == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def crowd_config(tmp_path):
    """A data set of 60 joints, without truth, of which a frame is not valid."""

    @DATASETS.register_module(force=True)
    class Crowd(WindowDataset):
        truth = False

        def load_sequences(self):
            random = torch.Generator().manual_seed(0)
            valid = torch.ones(6, dtype=torch.bool)
            valid[2] = False
            yield PoseSequence(
                torch.rand(6, 60, 2, generator=random),
                torch.rand(6, 60, 3, generator=random),
                *('someone', 'standing', 'clip', 'camera'),
                valid=valid,
            )

        @property
        def metainfo(self):
            return dict(super().metainfo, has_truth=Crowd.truth)

    register_skeleton(
        Skeleton('crowd60', {f'j{i}': f'j{i - 1}' if i else None for i in range(60)})
    )
    config = tmp_path / 'crowd.py'
    config.write_text(
        "default_scope = 'sealpose'\n"
        "test_dataloader = dict(dataset=dict(type='Crowd', skeleton='crowd60', "
        'output_frames=9, input_frames=9))\n'
    )
    yield str(config), Crowd
    DATASETS.module_dict.pop('Crowd')


def test_any_skeleton_with_and_without_truth(crowd_config, tmp_path):
    config, dataset = crowd_config
    heights = {}
    for truth in (False, True):
        dataset.truth = truth
        out = tmp_path / 'out' / f'{truth}.png'
        arguments = [config, '--split', 'test', '--out', str(out)]
        assert browse_dataset.main(arguments) == 0
        heights[truth] = imread(out).shape[0]
    assert heights[True] > 1.5 * heights[False]
