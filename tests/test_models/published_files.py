"""Files as the authors of backbones publish them, and what must come of them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from sealpose.engine.official_weights import ImportedWeights, import_official


def import_published(
    backbone: str,
    weights: Mapping[str, Tensor],
    file: Path,
    key: str | None = 'model_pos',
    **settings: object,
) -> ImportedWeights:
    """Write weights as DataParallel names them, with what lies beside, and import them.

    Args:
        backbone: Its registered name.
        weights: Under the names of the authors.
        file: Where to.
        key: Entry of the file that holds them; None for a bare state dict.
        settings: Arguments of the backbone that the file does not tell.
    """
    content = {f'module.{name}': value for name, value in weights.items()}
    if key is not None:
        content = {'epoch': 3, 'lr': 4e-5, 'min_loss': 37.0, key: content}
    torch.save(content, file)
    return import_official(backbone, file, settings=settings)


def check_names(
    imported: ImportedWeights, weights: Mapping[str, Tensor], names: Mapping[str, str]
) -> None:
    """Every tensor has come, and some came to the place where they belong.

    Args:
        imported: What was read.
        weights: What was written, without what is left out on purpose.
        names: Some of the authors' names to ours.
    """
    assert imported.names.keys() == weights.keys()
    for theirs, ours in names.items():
        assert imported.names[theirs] == ours
        assert torch.equal(imported.state_dict[ours], weights[theirs])
