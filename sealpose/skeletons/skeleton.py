"""The skeleton: which joints there are, how they hang together, which mirror which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from sealpose.registry import SKELETONS

LEFT, RIGHT = 'left_', 'right_'


@dataclass(frozen=True)
class Skeleton:
    """A tree of named joints with its left/right symmetry.

    Everything else is derived from the table that builds it. A joint whose name starts
    with ``left_`` mirrors the one that starts with ``right_``.

    Args:
        name: Name under which configs, data and checkpoints refer to the skeleton.
        joints: Joint name to parent name, in the order of the data; the root's parent
            is None.
        limbs: Limb name to the chain of joints along it, first to last.
        origin: Joints whose mean is the origin of root-relative poses; the root alone
            if empty.
        joint_sets: Name to joints that are evaluated together: a part of the body, or
            the joints of an official protocol.
        aliases: Joint to the name under which other skeletons know it, where that is
            another one; joints of the same name are taken for the same point.

    Raises:
        ValueError: the table has a cycle, no root or several, an unknown joint, or a
            left joint without its right one (or the reverse).
    """

    name: str
    joints: Mapping[str, str | None]
    limbs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    origin: Sequence[str] = ()
    joint_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_parents()
        self._check_sides()
        self._check_limbs()

    @cached_property
    def joint_names(self) -> tuple[str, ...]:
        """Joint names in the order of the data."""
        return tuple(self.joints)

    @property
    def num_joints(self) -> int:
        """Number of joints J."""
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Return the position of a joint in the data, by its name."""
        if joint not in self.joints:
            raise ValueError(
                f'skeleton {self.name!r} has no joint {joint!r}; it has '
                f'{", ".join(self.joint_names)}'
            )
        return self.joint_names.index(joint)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Parent of each joint, -1 at the root."""
        return tuple(
            -1 if parent is None else self.index(parent)
            for parent in self.joints.values()
        )

    @cached_property
    def root(self) -> int:
        """Index of the root joint."""
        return self.parents.index(-1)

    @cached_property
    def origin_joints(self) -> tuple[int, ...]:
        """Joints whose mean is the origin of root-relative poses."""
        return tuple(self.index(joint) for joint in self.origin) or (self.root,)

    def joint_set(self, name: str) -> tuple[int, ...]:
        """Return the positions of the joints of a named set."""
        if name not in self.joint_sets:
            raise ValueError(
                f'skeleton {self.name!r} has no joint set {name!r}; it has '
                f'{", ".join(self.joint_sets) or "none"}'
            )
        return tuple(self.index(joint) for joint in self.joint_sets[name])

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For each joint the one on the other side; a joint on the midline: itself."""
        return tuple(self.index(_mirror_name(name)) for name in self.joint_names)

    @cached_property
    def left_joints(self) -> tuple[int, ...]:
        """Joints on the left, in order."""
        return self._side(LEFT)

    @cached_property
    def right_joints(self) -> tuple[int, ...]:
        """Joints on the right, each the partner of ``left_joints`` at its position."""
        return tuple(self.mirror[joint] for joint in self.left_joints)

    @cached_property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """Segments (bones) as (parent, child), in the order of their child joints."""
        return tuple(
            (parent, child) for child, parent in enumerate(self.parents) if parent >= 0
        )

    @cached_property
    def symmetric_segments(self) -> tuple[tuple[int, int], ...]:
        """Pairs (left, right) of positions in ``segments`` that mirror each other."""
        position = {segment: i for i, segment in enumerate(self.segments)}
        pairs = []
        for parent, child in self.segments:
            if child in self.left_joints:
                twin = (self.mirror[parent], self.mirror[child])
                pairs.append((position[parent, child], position[twin]))
        return tuple(pairs)

    @cached_property
    def limb_segments(self) -> dict[str, tuple[int, ...]]:
        """Limb name to the positions of its segments in ``segments``."""
        position = {segment: i for i, segment in enumerate(self.segments)}
        return {
            limb: tuple(
                position[self.index(a), self.index(b)] for a, b in pairwise(chain)
            )
            for limb, chain in self.limbs.items()
        }

    @cached_property
    def hop_distances(self) -> np.ndarray:
        """Edges on the shortest path between two joints, (J, J) int64."""
        hops = np.full((self.num_joints, self.num_joints), self.num_joints)
        np.fill_diagonal(hops, 0)
        for a, b in self.segments:
            hops[a, b] = hops[b, a] = 1
        for via in range(self.num_joints):
            hops = np.minimum(hops, hops[:, via, None] + hops[None, via])
        return hops

    def _side(self, prefix: str) -> tuple[int, ...]:
        return tuple(
            i for i, name in enumerate(self.joint_names) if name.startswith(prefix)
        )

    def _check_parents(self) -> None:
        for joint, parent in self.joints.items():
            if parent is not None and parent not in self.joints:
                raise self._fault(f'{joint!r} has the unknown parent {parent!r}')
        for joint in self.joints:
            seen, at = [], joint
            while at is not None:
                if at in seen:
                    raise self._fault(f'its parents run in a cycle: {[*seen, at]}')
                seen.append(at)
                at = self.joints[at]
        roots = [joint for joint, parent in self.joints.items() if parent is None]
        if len(roots) != 1:
            raise self._fault(
                f'exactly one joint must have the parent None, but there are '
                f'{len(roots)}: {roots}'
            )

    def _check_sides(self) -> None:
        for joint, parent in self.joints.items():
            twin = _mirror_name(joint)
            if twin not in self.joints:
                raise self._fault(f'{joint!r} has no partner {twin!r}')
            expected = None if parent is None else _mirror_name(parent)
            if self.joints[twin] != expected:
                raise self._fault(
                    f'{joint!r} hangs on {parent!r}, so {twin!r} should hang on '
                    f'{expected!r}, not on {self.joints[twin]!r}'
                )

    def _check_limbs(self) -> None:
        for limb, chain in self.limbs.items():
            for joint in chain:
                if joint not in self.joints:
                    raise self._fault(f'limb {limb!r} names the unknown {joint!r}')
            for upper, lower in pairwise(chain):
                if self.joints[lower] != upper:
                    raise self._fault(
                        f'limb {limb!r} goes from {upper!r} to {lower!r}, but the '
                        f'parent of {lower!r} is {self.joints[lower]!r}'
                    )

    def _fault(self, what: str) -> ValueError:
        return ValueError(f'skeleton {self.name!r}: {what}')


def sub_skeleton(skeleton: Skeleton, joints: Sequence[str]) -> Skeleton:
    """Reduce a skeleton to some of its joints, each hung on its nearest kept ancestor.

    Args:
        skeleton: The whole.
        joints: Names of the joints to keep, the root among them; both sides of a pair
            or neither.

    Returns:
        A skeleton named after the whole and the number of joints, joints in the order
        of the whole.
    """
    kept = [name for name in skeleton.joint_names if name in set(joints)]

    def kept_ancestor(joint: str) -> str | None:
        parent = skeleton.joints[joint]
        while parent is not None and parent not in kept:
            parent = skeleton.joints[parent]
        return parent

    return Skeleton(
        f'{skeleton.name}, {len(kept)} joints',
        joints={joint: kept_ancestor(joint) for joint in kept},
        limbs=_within(skeleton.limbs, kept),
        joint_sets=_within(skeleton.joint_sets, kept),
    )


def _within(
    groups: Mapping[str, Sequence[str]], joints: Sequence[str]
) -> dict[str, Sequence[str]]:
    """Keep the groups whose joints are all there."""
    return {name: group for name, group in groups.items() if set(group) <= set(joints)}


def get_skeleton(skeleton: 'str | Skeleton') -> Skeleton:
    """Return a registered skeleton by its name; a skeleton is returned as it is."""
    if isinstance(skeleton, Skeleton):
        return skeleton
    return SKELETONS.get(skeleton)


def register_skeleton(skeleton: Skeleton) -> Skeleton:
    """Make a skeleton known under its name; several modules may share one."""
    SKELETONS.module_dict[skeleton.name] = skeleton
    return skeleton


def _mirror_name(joint: str) -> str:
    for here, there in ((LEFT, RIGHT), (RIGHT, LEFT)):
        if joint.startswith(here):
            return there + joint.removeprefix(here)
    return joint
