"""Few labels: which windows keep their truth, and that the others do not."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from sealpose.datasets import PoseSequence, WindowDataset
from sealpose.datasets.few_labels import FewLabels
from sealpose.datasets.label_budget import choose_labelled
from sealpose.registry import DATASETS
from tests.conftest import save_objects

# Frames of the clips of each subject; each is seen by two cameras.
CLIPS = {'A': (40, 10), 'B': (30, 20), 'C': (60, 20), 'D': (10, 10)}
TOTAL = 2 * 200


@DATASETS.register_module(force=True)
class Clips(WindowDataset):
    """Every frame is told by its 2D: subject, clip, camera and frame as a number."""

    def __init__(self, only=None, skeleton='h36m17', **window):
        self.split = 'train'
        self.only = only
        super().__init__(skeleton, **window)

    def load_sequences(self):
        number = 0
        for subject, clips in CLIPS.items():
            for clip, frames in enumerate(clips):
                for camera in 'lr':
                    number += 1
                    if self.only not in (None, subject):
                        continue
                    value = number * 1000 + torch.arange(frames).float()
                    joints = self.skeleton.num_joints
                    yield PoseSequence(
                        value[:, None, None].expand(-1, joints, 2),
                        value[:, None, None].expand(-1, joints, 3),
                        subject,
                        'any',
                        str(clip),
                        camera,
                    )


def few(share, by='clip', **kwargs):
    return FewLabels(dict(type='Clips'), share, by, **kwargs)


def kept(dataset):
    """Labelled windows as (subject, clip, camera, frame)."""
    batch = dataset.gather(dataset.labelled.nonzero()[:, 0])
    found = []
    for value in batch['keypoints_2d'][:, 0, 0, 0].long().tolist():
        entry = dataset.datasets[0].store.sequences[value // 1000 - 1]
        found.append((entry['subject'], entry['clip'], entry['camera'], value % 1000))
    return found


def test_whole_clips_from_all_subjects_within_the_budget():
    labelled = kept(few(0.3))
    assert len(labelled) <= 1.1 * 0.3 * TOTAL
    for subject, clip in {(s, c) for s, c, _, _ in labelled}:
        members = [w for w in labelled if w[:2] == (subject, clip)]
        assert len(members) == 2 * CLIPS[subject][int(clip)]
    assert len({s for s, *_ in labelled}) >= 3


@pytest.mark.parametrize(
    ('by', 'share', 'count'),
    [
        # Subjects have 100, 100, 160 and 40 windows: 220 allows two, and 40 fits.
        ('subject', 0.5, {200, 140}),
        # Only one of two cameras fits.
        ('camera', 0.5, {200}),
        ('clip', 1.0, {TOTAL}),
        # Neither fits: the smallest clip, 10 frames in two cameras.
        ('clip', 0.01, {20}),
        ('sequence', 0.01, {10}),
        ('frame', 0.1, {40}),
        ('frame', 0.0001, {2}),
    ],
)
def test_number_of_labelled_windows(by, share, count):
    assert len(kept(few(share, by))) in count


def test_frames_are_evenly_spaced_and_the_same_in_all_cameras():
    labelled = kept(few(0.1, 'frame'))
    left = [w[:2] + w[3:] for w in labelled if w[2] == 'l']
    assert left == [w[:2] + w[3:] for w in labelled if w[2] == 'r']
    assert {s for s, *_ in left} == set(CLIPS)
    frames = [frame for s, clip, frame in left if (s, clip) == ('C', '0')]
    assert [b - a for a, b in pairwise(frames)] == [10] * 5


def test_seed_of_the_labels_decides_alone():
    torch.manual_seed(0)
    first = few(0.2).labelled
    torch.manual_seed(1)
    assert torch.equal(first, few(0.2).labelled)
    assert any(not torch.equal(first, few(0.2, seed=s).labelled) for s in (1, 2, 3))


@pytest.mark.parametrize(
    ('share', 'by', 'match'),
    [
        (0, 'clip', 'share must lie'),
        (1.5, 'clip', 'share must lie'),
        (0.1, 'joint', "one of frame, subject.*'joint'"),
    ],
)
def test_impossible_budgets_are_refused(share, by, match):
    with pytest.raises(ValueError, match=match):
        few(share, by)


def test_unlabelled_truth_is_nan_and_the_rest_as_before():
    plain = Clips(input_frames=9, target_frames=3)
    dataset = few(0.2, input_frames=9, target_frames=3)
    idx = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
    batch, truth = dataset.gather(idx), plain.gather(idx)
    own = batch.pop('labelled')
    assert torch.equal(own, dataset.labelled[idx])
    assert 0 < own.sum() < len(own)
    assert batch['keypoints_3d'][~own].isnan().all()
    assert torch.equal(batch['keypoints_3d'][own], truth['keypoints_3d'][own])
    for name in ('keypoints_2d', 'frame_idx'):
        assert torch.equal(batch[name], truth[name])
    # The arrays of the data set stay as they were.
    assert plain.store.keypoints_3d.isfinite().all()
    assert dataset.datasets[0].store.keypoints_3d.isfinite().all()
    one = dataset[int(idx[3])]
    assert torch.equal(one['keypoints_2d'], batch['keypoints_2d'][3])


def test_further_data_sets_give_their_2d_alone():
    dataset = few(0.2, unlabelled=[dict(type='Clips', only='D'), dict(type='Clips')])
    assert len(dataset) == TOTAL + 40 + TOTAL
    assert not dataset.labelled[TOTAL:].any()
    idx = torch.tensor([TOTAL + 40, 5, TOTAL, TOTAL + 39, 0])
    batch = dataset.__getitems__(idx.tolist())
    values = batch['keypoints_2d'][:, 0, 0, 0].tolist()
    # Clip 0 of D is sequence 13, its clip 1 in the second camera sequence 16.
    assert values == [1000, 1005, 13000, 16009, 1000]
    assert batch['frame_idx'][:, 0].tolist() == [-1, 5, -1, -1, 0]
    assert batch['keypoints_3d'][[0, 2, 3]].isnan().all()
    assert '40 of Clips unlabelled' in dataset.summary


def test_a_detectors_keypoints_are_a_further_data_set(tmp_path):
    tracks = {'clip.mp4': {'custom': [np.full((30, 17, 2), 250.0)]}}
    metadata = dict(
        layout_name='h36m', video_metadata={'clip.mp4': dict(w=1000, h=1000)}
    )
    save_objects(tmp_path / 'video.npz', positions_2d=tracks, metadata=metadata)
    video = dict(type='DetectedKeypoints', path=str(tmp_path / 'video.npz'))
    dataset = few(0.2, unlabelled=[video])
    batch = dataset[len(dataset) - 1]
    torch.testing.assert_close(batch['keypoints_2d'], torch.full((1, 17, 2), -0.5))
    assert batch['keypoints_3d'].isnan().all()
    assert not batch['labelled']


def test_data_sets_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="'h36m16', but Clips 'h36m17'.*Mapped"):
        few(0.2, unlabelled=[dict(type='Clips', skeleton='h36m16')])
    with pytest.raises(ValueError, match=r'are \(1, 1, 1\), but .* \(3, 1, 1\)'):
        few(0.2, unlabelled=[dict(type='Clips', input_frames=3)])


def test_summary_counts_frames_clips_and_subjects():
    # The smallest clip is a window of 10 frames in each of two cameras.
    summary = few(0.01, input_frames=10, output_frames=10).summary
    assert summary.startswith(
        '2 of 40 windows of Clips labelled (5.00%, asked for 1.00% by clip, seed 0), '
        '20 of 400 frames, 1 of 8 clips, 1 of 4 subjects'
    )
    assert few(0.5).metainfo['labels'] == few(0.5).summary


def test_subjects_without_windows_do_not_count():
    sequences = [dict(subject=s, clip='0', camera='0') for s in 'ABC']
    sequence, start = torch.tensor([0, 0, 2, 2, 2]), torch.arange(5)
    labelled = choose_labelled(sequence, start, sequences, 0.01, 'subject')
    assert labelled.tolist() == [True, True, False, False, False]


def test_sample_motion_shares_its_subjects_out():
    data = dict(type='SampleMotion', frames=1500)
    dataset = FewLabels(data, 0.4, 'subject', stride=5)
    batch = dataset.gather(torch.arange(len(dataset)))
    assert 0.2 < batch['labelled'].float().mean() < 0.44
