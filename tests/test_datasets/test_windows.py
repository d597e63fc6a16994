import pytest
import torch

from sealpose.datasets.sequences import PoseSequence, SequenceStore
from sealpose.datasets.window_dataset import WindowDataset
from sealpose.registry import TRANSFORMS
from sealpose.skeletons import H36M17


def sequence(frames: int, offset: float = 0, **arrays) -> PoseSequence:
    """Frame t of the sequence holds the number offset + t everywhere."""
    values = offset + torch.arange(frames, dtype=torch.float32)[:, None, None]
    arrays.setdefault('keypoints_2d', values.expand(-1, 17, 2).contiguous())
    arrays.setdefault('keypoints_3d', values.expand(-1, 17, 3).contiguous())
    return PoseSequence(
        **arrays, subject='S1', action='Walking', clip='Walking 1', camera='cam0'
    )


class TwoClips(WindowDataset):
    def load_sequences(self):
        return [sequence(5), sequence(4, offset=100)]


def numbers(batch, key):
    return batch[key][:, :, 0, 0].tolist()


def test_seq2frame_windows_are_centred_and_repeat_the_edges():
    data = TwoClips('h36m17', input_frames=3, output_frames=1)
    assert len(data) == 9
    batch = data.__getitems__([0, 2, 4, 5])
    assert numbers(batch, 'keypoints_2d') == [
        [0, 0, 1],
        [1, 2, 3],
        [3, 4, 4],
        [100, 100, 101],
    ]
    assert numbers(batch, 'keypoints_3d') == [[0], [2], [4], [100]]
    assert batch['frame_idx'].tolist() == [[0], [2], [4], [5]]


def test_the_last_window_moves_back_and_each_frame_counts_once():
    data = TwoClips('h36m17', input_frames=3, output_frames=3)
    batch = data.__getitems__(range(len(data)))
    assert numbers(batch, 'keypoints_2d') == [
        [0, 1, 2],
        [2, 3, 4],
        [100, 101, 102],
        [101, 102, 103],
    ]
    assert batch['frame_idx'].tolist() == [
        [0, 1, 2],
        [-1, 3, 4],
        [5, 6, 7],
        [-1, -1, 8],
    ]


def test_a_sequence_shorter_than_the_window_repeats_its_end():
    data = TwoClips('h36m17', input_frames=7, output_frames=7)
    batch = data.__getitems__([1])
    assert numbers(batch, 'keypoints_2d') == [[100, 101, 102, 103, 103, 103, 103]]
    assert batch['frame_idx'].tolist() == [[5, 6, 7, 8, -1, -1, -1]]


def test_windows_that_overlap_end_once_with_their_sequence():
    data = TwoClips('h36m17', input_frames=3, output_frames=3, stride=1)
    batch = data.__getitems__(range(len(data)))
    firsts = [window[0] for window in numbers(batch, 'keypoints_2d')]
    assert firsts == [0, 1, 2, 100, 101]


def test_wide_windows_see_context_on_both_sides():
    data = TwoClips('h36m17', input_frames=6, output_frames=4)
    batch = data.__getitems__([0, 1])
    assert numbers(batch, 'keypoints_2d') == [[0, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 4]]
    assert numbers(batch, 'keypoints_3d') == [[0, 1, 2, 3], [1, 2, 3, 4]]


def test_truth_around_the_predicted_frame():
    data = TwoClips('h36m17', input_frames=3, output_frames=1, target_frames=5)
    batch = data.__getitems__([0, 2])
    assert numbers(batch, 'keypoints_2d') == [[0, 0, 1], [1, 2, 3]]
    assert numbers(batch, 'keypoints_3d') == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]
    assert batch['frame_idx'].tolist() == [[0], [2]]


class PartlyValid(WindowDataset):
    def load_sequences(self):
        marks = torch.tensor([0, 1, 0, 0, 1]).bool()
        return [sequence(5, valid=marks), sequence(4, offset=100)]


def test_frames_that_are_not_valid_are_context_alone():
    data = PartlyValid('h36m17', input_frames=3, output_frames=1)
    batch = data.__getitems__(range(len(data)))
    assert numbers(batch, 'keypoints_2d')[:2] == [[0, 1, 2], [3, 4, 4]]
    assert batch['frame_idx'].flatten().tolist() == [0, 1, 2, 3, 4, 5]
    assert [s['frames'] for s in data.metainfo['sequences']] == [2, 4]
    assert 'length' not in data.metainfo['sequences'][0]


def test_windows_with_some_valid_frames_count_those():
    data = PartlyValid('h36m17', input_frames=2, output_frames=2)
    batch = data.__getitems__(range(len(data)))
    assert batch['frame_idx'].tolist() == [[-1, 0], [-1, 1], [2, 3], [4, 5]]


class PartlyValidTraining(PartlyValid):
    split = 'train'


def starts(data):
    return numbers(data.__getitems__(range(len(data))), 'keypoints_3d')


def test_truth_that_is_not_valid_never_trains():
    data = PartlyValidTraining('h36m17', input_frames=2, output_frames=2)
    assert starts(data) == [[100, 101], [102, 103]]
    data = PartlyValidTraining('h36m17', input_frames=3)
    assert starts(data) == [[1], [4], [100], [101], [102], [103]]
    # The truth of the last frame alone, and its neighbours beyond the end, are valid.
    data = PartlyValidTraining('h36m17', input_frames=3, target_frames=3)
    assert starts(data)[0] == [100, 100, 101]
    assert len(data) == 4


def test_windows_without_any_valid_truth_are_refused():
    class Sparse(WindowDataset):
        split = 'train'

        def load_sequences(self):
            return [sequence(5, valid=torch.tensor([1, 0, 1, 0, 1]).bool())]

    with pytest.raises(ValueError, match='none of the 3 windows has 2 valid frames'):
        Sparse('h36m17', input_frames=2, output_frames=2)


def test_a_sequence_without_a_valid_frame_is_left_out():
    never = torch.zeros(5, dtype=torch.bool)
    store = SequenceStore.build(
        [sequence(5, valid=never), sequence(3, offset=50)], H36M17
    )
    assert [s['length'] for s in store.sequences] == [3]
    assert store.keypoints_3d[:, 0, 0].tolist() == [50, 51, 52]
    with pytest.raises(ValueError, match='valid frame'):
        SequenceStore.build([sequence(5, valid=never)], H36M17)


@pytest.mark.parametrize(
    'input_frames, output_frames', [(1, 1), (9, 1), (9, 9), (9, 5)]
)
def test_exactly_the_valid_frames_are_evaluated_once(input_frames, output_frames):
    generator = torch.Generator().manual_seed(0)

    class Patchy(WindowDataset):
        def load_sequences(self):
            for frames in (1, 4, 9, 10, 31):
                valid = torch.rand(frames, generator=generator) < 0.6
                valid[0] = True
                yield sequence(frames, offset=1000 * frames, valid=valid)

    data = Patchy('h36m17', input_frames, output_frames)
    batch = data.__getitems__(range(len(data)))
    counted = batch['frame_idx'] >= 0
    order = batch['frame_idx'][counted]
    assert sorted(order.tolist()) == list(range(int(data.store.valid.sum())))
    truth = batch['keypoints_3d'][counted][order.argsort()]
    assert torch.equal(truth, data.store.keypoints_3d[data.store.valid])
    assert sum(s['frames'] for s in data.metainfo['sequences']) == len(order)


@TRANSFORMS.register_module(force=True)
class ShakeForTest:
    def __call__(self, keypoints_2d, generator):
        return keypoints_2d + torch.rand(keypoints_2d.shape, generator=generator)


def test_transforms_disturb_whole_sequences_the_same_in_every_window():
    def data(**window):
        return TwoClips('h36m17', transforms=[dict(type='ShakeForTest')], **window)

    wide = data(input_frames=3).__getitems__([1])['keypoints_2d'][0]
    narrow = data().__getitems__([0, 1, 2])['keypoints_2d'][:, 0]
    assert torch.equal(wide, narrow)
    assert not torch.equal(narrow, TwoClips('h36m17').store.keypoints_2d[:3])
    assert not torch.equal(
        narrow, data(seed=1).__getitems__([0, 1, 2])['keypoints_2d'][:, 0]
    )
    other_clip = data().__getitems__([5])['keypoints_2d'][0, 0]
    assert not torch.equal(other_clip - 100, narrow[0])


def test_sequences_come_back_from_the_store():
    data = PartlyValid('h36m17')
    first, second = data.store.split()
    assert torch.equal(first.keypoints_3d, sequence(5).keypoints_3d)
    assert first.valid.tolist() == [False, True, False, False, True]
    assert second.clip == 'Walking 1'
    assert second.valid.all()


def test_marks_of_valid_frames_must_fit():
    with pytest.raises(ValueError, match='3 marks of valid frames for 5 frames'):
        SequenceStore.build([sequence(5, valid=torch.ones(3))], H36M17)


def test_stride_thins_the_windows():
    data = TwoClips('h36m17', input_frames=1, output_frames=1, stride=2)
    batch = data.__getitems__(range(len(data)))
    assert numbers(batch, 'keypoints_3d') == [[0], [2], [4], [100], [102]]


def test_one_window_is_a_batch_without_its_first_axis():
    data = TwoClips('h36m17', input_frames=3)
    assert data[1]['keypoints_2d'].shape == (3, 17, 2)


@pytest.mark.parametrize('window', [(2, 1), (1, 3), (1, 0), (3, 3, None, 1)])
def test_impossible_window_is_refused(window):
    with pytest.raises(ValueError, match='impossible'):
        TwoClips('h36m17', *window)


def test_not_a_number_is_refused_with_its_frame():
    pose = torch.zeros(5, 17, 3)
    pose[3, 2] = float('nan')
    with pytest.raises(ValueError, match='S1/Walking 1/cam0: keypoints_3d .* frame 3'):
        SequenceStore.build([sequence(5, keypoints_3d=pose)], H36M17)


def test_other_joints_than_the_skeleton_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 16, 2\).*'h36m17' needs \(frames, 17"):
        SequenceStore.build([sequence(5, keypoints_2d=torch.zeros(5, 16, 2))], H36M17)


def test_frame_counts_of_2d_and_3d_must_agree():
    with pytest.raises(ValueError, match='4 frames of 2D keypoints but 5 of 3D'):
        SequenceStore.build([sequence(5, keypoints_2d=torch.zeros(4, 17, 2))], H36M17)


def test_no_sequence_is_refused():
    with pytest.raises(ValueError, match='no sequence'):
        SequenceStore.build([], H36M17)
