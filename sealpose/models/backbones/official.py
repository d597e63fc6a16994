"""How the weights that the authors of a backbone published fit ours."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

StateDict = dict[str, Tensor]
Replacement = str | Callable[[re.Match[str]], str]


def _no_settings(state: StateDict) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class OfficialWeights:
    """What tools/model_converters/import_weights.py needs to know of a backbone.

    It takes the state dict out of its container and removes a ``module.`` prefix before
    it looks here.

    Args:
        source: The repository, ``owner/name``.
        renames: Pairs (pattern, replacement), as ``re.sub`` takes them, applied in
            order to every key of the official state dict.
        constants: Patterns of official keys that we compute from the settings; the
            converter compares their values with ours where we have a buffer of that
            name, and leaves them out.
        settings: From the official state dict, the constructor arguments that its
            shapes decide: joints, frames, width, depth.
        output_layers: Our names of the last linear layers: scaling their weights and
            biases scales the prediction (official models that predict millimetres).
        parts: Where a file holds several networks that make one of ours: containers in
            the file, and the prefix that their keys get.
    """

    source: str
    renames: tuple[tuple[str, Replacement], ...] = ()
    constants: tuple[str, ...] = ()
    settings: Callable[[StateDict], dict[str, Any]] = _no_settings
    output_layers: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
