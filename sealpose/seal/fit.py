"""Whether a loss-net fits the weights, the model and the data it is to meet."""

from typing import Any

from torch import nn

from sealpose.engine.checkpoint import check_state_dict, read_checkpoint


def load_weights(loss_net: nn.Module, path: str) -> None:
    """Give a loss-net the weights of a file.

    Args:
        loss_net: The loss-net.
        path: A checkpoint of a run with SEALHook, or a bare state dict.

    Raises:
        ValueError: the file is damaged, or belongs to another loss-net.
    """
    checkpoint = read_checkpoint(path)
    weights = checkpoint.get('seal', {}).get('loss_net', checkpoint)
    check_state_dict(loss_net, weights, path)
    loss_net.load_state_dict(weights)


def check_skeletons(loss_net: nn.Module, model: nn.Module, dataset: Any) -> None:
    """Refuse parts that speak of different skeletons.

    Args:
        loss_net: The loss-net.
        model: The pose-net.
        dataset: The training data.

    Raises:
        ValueError: two skeletons differ; names both.
    """
    mine = _skeleton_name(loss_net)
    for owner, part in {'training data': dataset, 'model': model}.items():
        name = _skeleton_name(part)
        if None not in (mine, name) and mine != name:
            raise ValueError(
                f'the loss-net {type(loss_net).__name__} is built for the skeleton '
                f'{mine!r}, but the {owner} has the skeleton {name!r}. Set '
                f'loss_net.skeleton of SEALHook to {name!r}'
            )


def _skeleton_name(part: Any) -> str | None:
    skeleton = getattr(part, 'skeleton', None)
    return getattr(skeleton, 'name', skeleton)
