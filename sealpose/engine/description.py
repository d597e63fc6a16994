"""What a checkpoint says of itself."""

from typing import Any

import mmengine
import torch
from mmengine.dist import get_world_size
from mmengine.runner import Runner

from sealpose.engine.hooks.epoch_seed import POLICY, EpochSeedHook
from sealpose.engine.unwrap import unwrap
from sealpose.skeletons import Skeleton
from sealpose.version import __version__


def describe_run(runner: Runner) -> dict[str, Any]:
    """Return versions, backbone, skeleton and the policy of random numbers.

    Args:
        runner: The Runner, in training.
    """
    model = unwrap(runner.model)
    seeded = any(isinstance(hook, EpochSeedHook) for hook in runner.hooks)
    description = dict(
        versions=dict(
            sealpose=__version__,
            torch=str(torch.__version__),
            mmengine=mmengine.__version__,
        ),
        random_state=dict(
            policy=POLICY if seeded else 'not kept',
            seed=runner.seed,
            processes=get_world_size(),
        ),
    )
    config = runner.cfg.get('model')
    if isinstance(config, dict) and 'backbone' in config:
        description['backbone'] = config['backbone']
    skeleton = getattr(model, 'skeleton', None)
    if isinstance(skeleton, Skeleton):
        description['skeleton'] = describe_skeleton(skeleton)
    return description


def describe_skeleton(skeleton: Skeleton) -> dict[str, Any]:
    """Return a skeleton's name and table as plain values.

    Args:
        skeleton: The skeleton.
    """
    return dict(
        name=skeleton.name,
        joints=dict(skeleton.joints),
        limbs={name: list(chain) for name, chain in skeleton.limbs.items()},
        origin=list(skeleton.origin),
    )
