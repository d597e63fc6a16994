"""From the joints of one skeleton to those of another, by name and by one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from sealpose.skeletons.skeleton import Skeleton

# How a joint that a skeleton lacks is made: the mean of other joints, the first rule
# whose joints there are. docs/in_the_wild.md explains the table.
RULES: dict[str, tuple[tuple[str, ...], ...]] = {
    'pelvis': (('left_hip', 'right_hip'),),
    'thorax': (('left_shoulder', 'right_shoulder'),),
    'spine': (('pelvis', 'thorax'),),
    'nose': (('head_center',),),
    'head': (('left_eye', 'right_eye'), ('head_center',)),
    'head_center': (('left_ear', 'right_ear'), ('nose', 'head')),
}


@dataclass(frozen=True)
class JointMap:
    """A linear map from the joints of one skeleton to those of another.

    Attributes:
        source: Skeleton of the given joints.
        target: Skeleton of the wanted joints.
        recipes: For each wanted joint, the given joints whose mean it is.
        common: Wanted joints that both skeletons have under one name; those that a rule
            makes from others are left out. Only these can be compared with truth.
    """

    source: Skeleton
    target: Skeleton
    recipes: Mapping[str, Sequence[str]]
    common: tuple[str, ...]

    @cached_property
    def weights(self) -> Tensor:
        """The map as a matrix, (J of the target, J of the source), float32."""
        weights = torch.zeros(self.target.num_joints, self.source.num_joints)
        for joint, parts in self.recipes.items():
            columns = [self.source.index(part) for part in parts]
            for column in columns:
                weights[self.target.index(joint), column] += 1 / len(columns)
        return weights

    def __call__(self, points: Tensor) -> Tensor:
        """Map (..., J of the source, C) to (..., J of the target, C)."""
        return self.weights.to(points) @ points


def map_joints(source: Skeleton, target: Skeleton) -> JointMap:
    """Find each joint of the target in the source: by name, or made by a rule.

    Names are compared under the aliases that the skeletons declare.

    Args:
        source: Skeleton of the given joints.
        target: Skeleton of the wanted joints.

    Raises:
        ValueError: a joint is neither there nor can be made.
    """
    given = {source.aliases.get(name, name): name for name in source.joint_names}
    wanted = {name: target.aliases.get(name, name) for name in target.joint_names}
    recipes = {name: _recipe(common, given) for name, common in wanted.items()}
    missing = [name for name, recipe in recipes.items() if recipe is None]
    if missing:
        raise ValueError(
            f'the skeleton {target.name!r} cannot be made from {source.name!r}: there '
            f'is no {", ".join(missing[:5])}{" ..." if len(missing) > 5 else ""}, and '
            'no rule of sealpose/skeletons/mapping.py makes it'
        )
    common = tuple(name for name, shared in wanted.items() if shared in given)
    return JointMap(source, target, recipes, common)


def _recipe(
    joint: str, given: Mapping[str, str], above: frozenset[str] = frozenset()
) -> list[str] | None:
    """Return the given joints whose mean is ``joint``; one may count twice.

    ``above`` are the joints that are being made from this one: no rule may need them.
    """
    if joint in given:
        return [given[joint]]
    for rule in RULES.get(joint, ()):
        if above.isdisjoint(rule):
            parts = [_recipe(part, given, above | {joint}) for part in rule]
            if None not in parts:
                return _mean_of_means(parts)
    return None


def _mean_of_means(parts: list[list[str]]) -> list[str]:
    """Repeat the joints so that a plain mean weighs each part alike."""
    size = 1
    for part in parts:
        size *= len(part)
    return [joint for part in parts for joint in part * (size // len(part))]
