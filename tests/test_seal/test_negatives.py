import math

import pytest
import torch

from sealpose.geometry.bones import segment_lengths
from sealpose.geometry.kinematics import bone_vectors
from sealpose.registry import NEGATIVES
from sealpose.skeletons import Skeleton, get_skeleton

from .bodies import BODY, SKELETONS, body, random_poses

NAMES = ('JointNoise', 'BoneRotation', 'BoneScaling', 'SideSwap', 'OtherPose')


def make(name, x, pred, true, skeleton, seed=0, **kwargs):
    torch.manual_seed(seed)
    negative = NEGATIVES.build({'type': name, **kwargs})
    return negative(x, pred, true, get_skeleton(skeleton))


def changed_joints(before, after):
    """Return the joints that moved, one set per sample."""
    moved = ((before - after).abs() > 1e-9).any(-1).any(1)
    return [set(row.nonzero().flatten().tolist()) for row in moved]


def hanging_from(joint, skeleton):
    """Return the joints whose way to the root leads over ``joint``."""
    found = set()
    for start in range(skeleton.num_joints):
        at = start
        while at not in (-1, joint):
            at = skeleton.parents[at]
        if at == joint:
            found.add(start)
    return found


@pytest.mark.parametrize('skeleton', SKELETONS)
@pytest.mark.parametrize('name', NAMES)
def test_all_serve_on_every_skeleton(name, skeleton):
    inputs = random_poses(skeleton)
    kept = [part.clone() for part in inputs]
    first = make(name, *inputs, skeleton)
    assert first.shape == inputs[2].shape and first.dtype == inputs[2].dtype
    assert first.isfinite().all()
    assert all(changed_joints(inputs[2], first))
    assert all(map(torch.equal, inputs, kept))
    assert torch.equal(first, make(name, *inputs, skeleton))
    if name != 'OtherPose':
        assert not torch.equal(first, make(name, *inputs, skeleton, seed=1))
        origin = list(get_skeleton(skeleton).origin_joints)
        before, after = (pose[..., origin, :].mean(-2) for pose in (inputs[2], first))
        torch.testing.assert_close(after, before)


@pytest.mark.parametrize('name', NAMES)
def test_none_looks_at_prediction_or_keypoints(name):
    x, pred, true = random_poses('h36m17')
    made = make(name, x, pred, true, 'h36m17')
    blind = make(name, x * torch.nan, pred * torch.nan, true, 'h36m17')
    assert torch.equal(made, blind)


def test_joint_noise_has_its_size():
    inputs = random_poses('mpi_inf_3dhp17', batch=400, frames=1)
    made = make('JointNoise', *inputs, 'mpi_inf_3dhp17', std=0.05)
    noise = made - inputs[2]
    root = get_skeleton('mpi_inf_3dhp17').root
    assert root == 14 and not noise[:, :, root].any()
    others = torch.cat([noise[:, :, :root], noise[:, :, root + 1 :]], 2)
    assert others.std().item() == pytest.approx(0.05, rel=0.03)
    assert others.mean().item() == pytest.approx(0, abs=0.002)
    assert (others != 0).all()


@pytest.mark.parametrize('skeleton', SKELETONS)
@pytest.mark.parametrize('degrees', [10.0, 35.0])
def test_bone_rotation_turns_one_subtree_by_the_angle(skeleton, degrees):
    inputs, true_skeleton = random_poses(skeleton, 12), get_skeleton(skeleton)
    made = make('BoneRotation', *inputs, skeleton, degrees=degrees)
    torch.testing.assert_close(
        segment_lengths(made, true_skeleton), segment_lengths(inputs[2], true_skeleton)
    )
    parents, tops = true_skeleton.parents, set()
    samples = zip(inputs[2], made, changed_joints(inputs[2], made), strict=True)
    for before, after, moved in samples:
        (top,) = (joint for joint in moved if parents[joint] not in moved)
        assert moved == hanging_from(top, true_skeleton)
        tops.add(top)
        # The same turn in all four frames: solve for it.
        pivot = before[:, None, parents[top]]
        p = (before - pivot)[:, list(moved)].flatten(0, 1)
        q = (after - pivot)[:, list(moved)].flatten(0, 1)
        turn = torch.linalg.lstsq(p, q).solution.T
        torch.testing.assert_close(p @ turn.T, q)
        assert torch.linalg.det(turn).item() == pytest.approx(1)
        cosine = (turn.trace().item() - 1) / 2
        assert math.degrees(math.acos(cosine)) == pytest.approx(degrees)
    assert len(tops) > 4


@pytest.mark.parametrize('skeleton', SKELETONS)
def test_bone_scaling_changes_lengths_alone(skeleton):
    inputs, true_skeleton = random_poses(skeleton, 20), get_skeleton(skeleton)
    made = make('BoneScaling', *inputs, skeleton, spread=0.2)
    before, after = (bone_vectors(pose, true_skeleton) for pose in (inputs[2], made))
    cosine = torch.cosine_similarity(before, after, dim=-1)
    torch.testing.assert_close(cosine, torch.ones_like(cosine))
    factor = after.norm(dim=-1) / before.norm(dim=-1)
    torch.testing.assert_close(factor, factor[:, :1].expand_as(factor))
    # One factor per sample and bone, over the whole range.
    factor = factor[:, 0]
    assert factor.min() >= 0.8 and factor.max() <= 1.2
    assert factor.min() < 0.84 and factor.max() > 1.16
    assert factor.flatten().round(decimals=9).unique().numel() == factor.numel()


@pytest.mark.parametrize('skeleton', SKELETONS)
def test_side_swap_exchanges_one_limb_pair(skeleton):
    inputs, true_skeleton = random_poses(skeleton, 20), get_skeleton(skeleton)
    made = make('SideSwap', *inputs, skeleton)
    limbs = {
        limb: frozenset(
            true_skeleton.index(f'{side}_{joint}')
            for side in ('left', 'right')
            for joint in joints
        )
        for limb, joints in {
            'arm': ('shoulder', 'elbow', 'wrist'),
            'leg': ('hip', 'knee', 'ankle'),
        }.items()
    }
    moved = changed_joints(inputs[2], made)
    assert {frozenset(joints) for joints in moved} == set(limbs.values())
    for before, after, joints in zip(inputs[2], made, moved, strict=True):
        for joint in joints:
            assert torch.equal(after[:, joint], before[:, true_skeleton.mirror[joint]])


def test_side_swap_without_limbs_by_hand():
    true = body(left=0.3, right=0.4, left_hand=0.1, right_hand=0.2)[None, None]
    made = make('SideSwap', true[..., :2], true, true, BODY)
    assert torch.equal(made[0, 0], true[0, 0, [0, 1, 3, 2, 5, 4]])


def test_other_pose_is_that_of_the_sample_before():
    inputs = random_poses('h36m17', 3)
    made = make('OtherPose', *inputs, 'h36m17')
    assert torch.equal(made, inputs[2][[2, 0, 1]])


def test_a_skeleton_without_sides_has_none_to_swap():
    chain = Skeleton('chain', joints={'hip': None, 'knee': 'hip'})
    pose = torch.zeros(1, 1, 2, 3)
    with pytest.raises(ValueError, match=r"SideSwap .*'chain' has no joints.*leave it"):
        make('SideSwap', pose[..., :2], pose, pose, chain)
