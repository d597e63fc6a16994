"""Finds out before a run whether its optimizer exists."""

import difflib
from collections.abc import Mapping

from mmengine.registry import OPTIMIZERS


def check_optimizer_type(optim_wrapper: Mapping) -> None:
    """Ask for an optimizer that is registered.

    Args:
        optim_wrapper: Config of an optimizer wrapper.

    Raises:
        KeyError: there is no such optimizer; the message suggests close names.
    """
    kind = optim_wrapper.get('optimizer', {}).get('type')
    if not isinstance(kind, str) or OPTIMIZERS.get(kind) is not None:
        return
    known = sorted(OPTIMIZERS.module_dict)
    lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(kind.lower(), lower, n=3)
    names = ' or '.join(lower[name] for name in close)
    hint = f' Did you mean {names}?' if close else ''
    raise KeyError(
        f'optimizer {kind!r} is not registered.{hint} Registered are: '
        f'{", ".join(known)}'
    )
