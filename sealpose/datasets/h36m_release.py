"""The motion capture of Human3.6M in the forms in which it was passed around.

Each form has a file per subject and clip with T frames of 96 numbers, the (x, y, z) of
32 joints in millimetres, world axes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sealpose.datasets.h36m_protocol import (
    ACTIONS,
    CLIPS_PER_ACTION,
    LEFT_OUT,
    SUBJECTS,
)

NUM_JOINTS = 32
# Ending of a file to the folder that it lies in below that of its subject.
FORMS = {
    '.cdf': 'MyPoseFeatures/D3_Positions',
    '.cdf.mat': 'MyPoseFeatures/D3_Positions',
    '.h5': 'MyPoses/3D_positions',
}
# Archives unpack to one of these folders.
TOPS = ('', 'h36m', 'pose')
# Names in the release that the papers shorten.
RENAMED = {'TakingPhoto': 'Photo', 'WalkingDog': 'WalkDog'}
MISSING_EXTRA = 'reading {} files needs {}: pip install "sealpose[convert]"'


@dataclass(frozen=True)
class ReleaseFile:
    """A file of the release.

    Args:
        path: Where it lies.
        subject: Who moves.
        clip: Its usual name, such as ``Photo 1``.
        form: Its ending, one of ``FORMS``.
    """

    path: Path
    subject: str
    clip: str
    form: str

    def read(self) -> np.ndarray:
        """Read the positions.

        Returns:
            (T, 32, 3) float32, metres, world axes.

        Raises:
            ImportError: the library for this form is not installed.
            ValueError: the file is damaged or holds something else; names the file.
        """
        try:
            values = _READERS[self.form](self.path)
        except ImportError:
            raise
        except Exception as error:  # each library has errors of its own
            raise ValueError(f'{self.path} cannot be read: {error}') from error
        return _positions(np.asarray(values), self)


def find_files(src: Path) -> list[ReleaseFile]:
    """List the files below a folder, those of S11's corrupt video left out.

    Where a clip is there in several forms, the first of ``FORMS`` counts.

    Args:
        src: Folder of the subjects' folders, or that an archive was unpacked in.

    Raises:
        FileNotFoundError: there is no file in any form.
    """
    found: dict[tuple[str, str], ReleaseFile] = {}
    for subject in SUBJECTS['train'] + SUBJECTS['test']:
        for file in _subject_files(src, subject):
            found.setdefault((file.subject, file.clip), file)
    if not found:
        layouts = '\n  '.join(
            f'S1/{folder}/Directions 1{form}' for form, folder in FORMS.items()
        )
        raise FileNotFoundError(
            f'{src} has no motion capture of Human3.6M; expected files such as\n  '
            f'{layouts}\nwhich Poses_D3_Positions_S1.tgz, convert_cdf_to_mat.m of '
            'VideoPose3D and h36m.zip of 3d-pose-baseline give'
        )
    return [file for key, file in found.items() if key != LEFT_OUT]


def completeness(clips: dict[str, list[str]]) -> Iterator[tuple[str, str, int, int]]:
    """Compare clips with what the release has: two of each action for each subject.

    Args:
        clips: Subject to names of clips.

    Yields:
        Subject, action, clips found, clips expected, where the two differ.
    """
    for subject in SUBJECTS['train'] + SUBJECTS['test']:
        found = Counter(name.split(' ')[0] for name in clips.get(subject, []))
        for action in sorted({*ACTIONS, *found}):
            expected = CLIPS_PER_ACTION if action in ACTIONS else 0
            # Of the two clips of that name, one is left out.
            expected -= (subject, action) == LEFT_OUT
            if found[action] != expected:
                yield subject, action, found[action], expected


def _subject_files(src: Path, subject: str) -> Iterator[ReleaseFile]:
    for form, folder in FORMS.items():
        for top in TOPS:
            paths = (src / top / subject / folder).glob(f'*{form}')
            for path in sorted(paths):
                if path.name.startswith('.'):  # of macOS
                    continue
                clip = path.name.removesuffix(form).replace('_', ' ')
                action, _, number = clip.partition(' ')
                name = ' '.join(filter(None, [RENAMED.get(action, action), number]))
                yield ReleaseFile(path, subject, name, form)


def _positions(values: np.ndarray, file: ReleaseFile) -> np.ndarray:
    # Libraries add axes of length 1; h5 files have the frames last.
    values = values.squeeze()
    if values.ndim == 1:
        values = values[None] if file.form != '.h5' else values[:, None]
    if file.form == '.h5' and values.ndim == 2:
        values = values.T
    if values.ndim != 2 or values.shape[1] != 3 * NUM_JOINTS:
        raise ValueError(
            f'{file.path}: expected frames of {3 * NUM_JOINTS} numbers, found an array '
            f'of the shape {values.shape}'
        )
    if values.dtype.kind != 'f' or not np.isfinite(values).all():
        raise ValueError(f'{file.path}: expected finite numbers, found others')
    return (values.reshape(-1, NUM_JOINTS, 3) / 1000).astype(np.float32)


def _read_cdf(path: Path) -> np.ndarray:
    try:
        import cdflib
    except ImportError:
        raise ImportError(MISSING_EXTRA.format('CDF', 'cdflib')) from None
    return cdflib.CDF(path).varget('Pose')


def _read_mat(path: Path) -> np.ndarray:
    try:
        from scipy.io import loadmat
    except ImportError:
        raise ImportError(MISSING_EXTRA.format('.mat', 'scipy')) from None
    data = loadmat(path, variable_names=['data'])['data']
    return data[0, 0] if data.dtype == object else data


def _read_h5(path: Path) -> np.ndarray:
    try:
        import h5py
    except ImportError:
        raise ImportError(MISSING_EXTRA.format('.h5', 'h5py')) from None
    with h5py.File(path, 'r') as file:
        return file['3D_positions'][()]


_READERS = {'.cdf': _read_cdf, '.cdf.mat': _read_mat, '.h5': _read_h5}
