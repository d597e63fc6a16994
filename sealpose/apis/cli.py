"""What the command-line tools share."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
