"""Parts that are told the skeleton of the model where their config is silent."""

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from sealpose.skeletons.skeleton import Skeleton, get_skeleton


def build_for_skeleton(
    registry: Registry, config: Mapping[str, Any], skeleton: str | Skeleton
) -> Any:
    """Build a part; fill in ``skeleton`` and ``num_joints`` if it takes them.

    So a config names its skeleton once, in ``model.skeleton``.

    Args:
        registry: Where the part is registered.
        config: Config of the part; what it sets stands.
        skeleton: Skeleton of the model, or its name.
    """
    kind = config['type']
    part = registry.get(kind) if isinstance(kind, str) else kind
    wanted = inspect.signature(part).parameters.keys() - config.keys()
    filled = {}
    if 'skeleton' in wanted:
        filled['skeleton'] = getattr(skeleton, 'name', skeleton)
    if 'num_joints' in wanted:
        filled['num_joints'] = get_skeleton(skeleton).num_joints
    return registry.build({**filled, **config})
