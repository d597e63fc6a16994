"""Trainings of other studies that are just the ones needed."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from sealpose.evaluation.files import whole_file
from sealpose.study.run import RunRequest, read_notes, write_notes


def find_trainings(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the finished trainings below some folders, by their fingerprint.

    Args:
        folders: Folders of studies.

    Raises:
        FileNotFoundError: one of them is not there.
    """
    found = {}
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f'there is no folder {folder} to reuse runs of')
        for path in sorted(folder.rglob('training.json')):
            if (path.parent / 'last.pth').is_file():
                found[read_notes(path)['training_hash']] = path.parent
    return found


def adopt_training(request: RunRequest, origin: Path) -> bool:
    """Copy a training into the folder of a run that needs the same.

    Args:
        request: The run.
        origin: Folder of the training.

    Returns:
        Whether it was copied: not if the run has trained itself.
    """
    notes = request.folder / 'training.json'
    if read_notes(notes).get('training_hash') == request.training_hash:
        return False
    # Not what belongs to a run with other settings.
    for name in ('result.json', 'training.json', 'started.json', 'resume.pth'):
        (request.folder / name).unlink(missing_ok=True)
    with whole_file(request.folder / 'last.pth') as temporary:
        shutil.copyfile(origin / 'last.pth', temporary)
    write_notes(notes, read_notes(origin / 'training.json'))
    return True
