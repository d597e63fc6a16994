"""Where a run goes on: its newest checkpoint that can be read."""

import logging
from pathlib import Path

from mmengine.logging import print_log

from sealpose.engine.checkpoint import read_checkpoint
from sealpose.engine.whole_files import POINTER

# What a checkpoint of a training has, and a file of weights has not.
TRAINING_STATE = frozenset({'state_dict', 'optimizer', 'message_hub', 'meta'})


def find_resumable(work_dir: str | Path) -> Path | None:
    """Return the checkpoint from which a run goes on.

    The one that ``last_checkpoint`` names; if that is damaged or missing, the newest
    other one that can be read, and a message says so.

    Args:
        work_dir: Folder of the run.

    Returns:
        None if the run has saved nothing yet.

    Raises:
        ValueError: there are checkpoints, but none that can be read.
    """
    damaged: list[str] = []
    for path in _candidates(Path(work_dir)):
        try:
            checkpoint = read_checkpoint(path)
        except (OSError, ValueError) as error:
            damaged.append(str(error))
            continue
        if not checkpoint.keys() >= TRAINING_STATE:
            continue
        if damaged:
            faults = '; '.join(damaged)
            print_log(
                f'{faults}. Resuming from {path} instead', 'current', logging.WARNING
            )
        return path
    if damaged:
        raise ValueError(
            f'cannot resume: no checkpoint in {work_dir} can be read: '
            f'{"; ".join(damaged)}. Start anew without --resume, or in another '
            '--work-dir'
        )
    return None


def _candidates(work_dir: Path) -> list[Path]:
    """List checkpoints, the most welcome first."""
    named = []
    folders = [work_dir]
    pointer = work_dir / POINTER
    if pointer.is_file():
        named = [Path(pointer.read_text(encoding='utf-8', errors='replace').strip())]
        folders.append(named[0].parent)
    others = {
        path.resolve(): path for folder in folders for path in folder.glob('*.pth')
    }
    others = [path for path in others.values() if path not in named]
    others.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return named + others
