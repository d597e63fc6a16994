"""What the command-line tools share."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.config import DictAction


def add_run_arguments(parser: argparse.ArgumentParser, example: str) -> None:
    """Add the arguments of every tool that runs a config.

    Args:
        parser: Parser of the tool.
        example: A setting that a user of this tool might replace.
    """
    parser.add_argument(
        '--work-dir',
        help='folder for logs and checkpoints (default: work_dirs/<folder>/<config>)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help=f'replace settings of the config, e.g. {example}',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed run were started',
    )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End the program with one clear line where its input is at fault.

    Only around what prepares a run: a fault inside one keeps its traceback.
    """
    try:
        yield
    except (AttributeError, KeyError, OSError, SyntaxError, TypeError, ValueError) as e:
        message = e.args[0] if isinstance(e, KeyError) else e
        sys.exit(f'error: {message}')
