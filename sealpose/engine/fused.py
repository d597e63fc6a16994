"""Optimizers that update all parameters in one pass over them."""

from collections.abc import Mapping

import torch
from mmengine.utils import digit_version

# First torch whose fused Adam and AdamW compute there.
SINCE = {'cuda': '2.0', 'cpu': '2.4'}


def fused_optimizer(optimizer: Mapping, device: torch.device) -> dict:
    """Return the config of an optimizer with ``fused=True`` where torch has that.

    Adam and AdamW alone; the updates are the same but for the order of float rounding.
    A config that says ``fused``, ``foreach``, ``capturable`` or ``differentiable`` is
    left as it is.

    Args:
        optimizer: Config of the optimizer.
        device: Of the parameters.
    """
    config = dict(optimizer)
    kind = config.get('type')
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    chosen = {'fused', 'foreach', 'capturable', 'differentiable'} & config.keys()
    since = SINCE.get(device.type)
    if name.split('.')[-1] not in ('Adam', 'AdamW') or chosen or since is None:
        return config
    if digit_version(torch.__version__) >= digit_version(since):
        config['fused'] = True
    return config
