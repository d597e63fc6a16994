"""What the dataset converters share: arguments, and files that appear together."""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np


class ConverterParser(argparse.ArgumentParser):
    """Parser of a converter: SRC, OUT, and one line in answer to a bad argument.

    Args:
        description: What the converter does, as it is to be printed.
        src: What SRC is.
        can_check: Whether the converter has ``--check``, which needs no OUT.
    """

    def __init__(self, description: str, src: str, can_check: bool = True) -> None:
        super().__init__(
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.can_check = can_check
        self.add_argument('src', type=_folder, metavar='SRC', help=src)
        self.add_argument(
            'out',
            type=_target,
            metavar='OUT',
            nargs='?' if can_check else None,
            help='folder to write to',
        )

    def parse_args(self, *args: Any, **kwargs: Any) -> argparse.Namespace:
        """Parse; a bad argument ends the program with code 2."""
        parsed = super().parse_args(*args, **kwargs)
        if self.can_check and parsed.out is None and not parsed.check:
            self.error('expected the folder OUT to write to, or --check')
        return parsed

    def error(self, message: str) -> NoReturn:
        """End the program."""
        self.exit(2, f'{self.prog}: error: {message}; see --help\n')


def write_together(
    out: Path, files: Mapping[str, Mapping[str, Any]], compressed: bool = True
) -> list[Path]:
    """Write npz files; an interruption leaves those that were there before.

    Args:
        out: Folder; made if it is not there.
        files: Name to entries.
        compressed: Smaller, and slower to read.

    Returns:
        Their paths.
    """
    save = np.savez_compressed if compressed else np.savez
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.unfinished_', dir=out) as temporary:
        for name, entries in files.items():
            save(Path(temporary, name), **entries)
        for name in files:
            os.replace(Path(temporary, name), out / name)
    return [out / name for name in files]


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f'there is no folder {text}')
    return Path(text)


def _target(text: str) -> Path:
    if Path(text).exists() and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f'{text} is a file, expected a folder')
    return Path(text)
