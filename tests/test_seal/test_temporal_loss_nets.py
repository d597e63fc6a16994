import pytest
import torch

from sealpose.registry import LOSS_NETS
from sealpose.seal import LossNetTrainer, MarginObjective

from .bodies import BODY, body
from .tiny import TinyPoses, pose_weights, run, same, seal

FRAME = {'type': 'MLPLossNet', 'hidden_dims': 8, 'dropout': 0.0}
PAIRWISE = {'type': 'PairwiseLossNet', 'frame': FRAME, 'hidden_dims': 16}
TEMPORAL = {'type': 'TemporalLossNet', 'hidden_dims': 16}
ALL = ('lengths', 'angles', 'keypoints', 'changes', 'motion')
NETS = [PAIRWISE, TEMPORAL, {**TEMPORAL, 'features': ALL}]


def build(config, skeleton='h36m17'):
    torch.manual_seed(0)
    return LOSS_NETS.build({'skeleton': skeleton, **config}).double()


def batch(size=3, frames=6):
    generator = torch.Generator().manual_seed(1)
    y = torch.randn(size, frames, 17, 3, generator=generator, dtype=torch.float64)
    return y[..., :2].clone(), 0.3 * y


def changed_frames(net, x, y, frame):
    moved = y.clone()
    moved[1, frame] *= 1.1
    return (net(x, y) != net(x, moved)).nonzero().tolist()


@pytest.mark.parametrize('config', NETS)
def test_single_frames_are_refused(config):
    net = build(config)
    with pytest.raises(ValueError, match=rf'{config["type"]}.*windows of one.*seq2seq'):
        net(*batch(frames=1))
    assert net(*batch(frames=2)).shape == (3, 2)


@pytest.mark.parametrize('config', NETS)
def test_wrong_shapes_are_named(config):
    x, y = batch()
    with pytest.raises(ValueError, match=r'\(batch, frames, 17, 2\)'):
        build(config)(x[:, :, :16], y[:, :, :16])
    with pytest.raises(ValueError, match='equal batch and frames'):
        build(config)(x, y[:, 1:])


@pytest.mark.parametrize('config', NETS)
def test_samples_do_not_meet_and_everything_counts(config):
    net, (x, y) = build(config), batch()
    energy = net(x, y)
    assert energy.shape == (3, 6)
    torch.testing.assert_close(net(x[1:2], y[1:2]), energy[1:2])
    y.requires_grad_()
    net(x, y).square().sum().backward()
    assert (y.grad != 0).all()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_pairwise_energy_depends_on_the_neighbours_alone():
    net, (x, y) = build(PAIRWISE), batch()
    assert changed_frames(net, x, y, 3) == [[1, 2], [1, 3], [1, 4]]
    assert changed_frames(net, x, y, 0) == [[1, 0], [1, 1]]


def test_pairs_are_shared_by_their_frames():
    net, (x, y) = build(PAIRWISE), batch()
    pairs = net(x, y) - net.frame(x, y)
    alone = torch.stack(
        [
            (net(x[:, t : t + 2], y[:, t : t + 2]) - net.frame(x, y)[:, t : t + 2])
            for t in range(5)
        ]
    )
    # Two frames alone have half of their pair's energy each.
    torch.testing.assert_close(alone[..., 0], alone[..., 1])
    half = alone[..., 0].T
    torch.testing.assert_close(pairs[:, 0], half[:, 0])
    torch.testing.assert_close(pairs[:, 1:-1], half[:, :-1] + half[:, 1:])
    torch.testing.assert_close(pairs[:, -1], half[:, -1])


def test_pairwise_energy_knows_the_direction_of_time():
    net, (x, y) = build(PAIRWISE), batch()
    backwards = net(x.flip(1), y.flip(1)).flip(1)
    assert (backwards - net(x, y)).abs().min() > 1e-6


def window_features(*poses):
    """What TemporalLossNet sees of a window: lengths, changes, motion."""
    net = build({**TEMPORAL, 'features': ('lengths', 'changes', 'motion')}, BODY)
    y = torch.stack(poses).double()[None]
    described = net.describe(torch.zeros_like(y[..., :2]), y)[0]
    # 5 segments and 2 differences of sides; 5 changes; 6 joints.
    return described.split([7, 5, 36], -1)


def test_a_still_pose_has_no_motion():
    lengths, changes, motion = window_features(*[body()] * 4)
    # Units are 20 cm.
    expected = torch.tensor([3, 1.5, 1.5, 1, 1, 0, 0], dtype=torch.float64)
    torch.testing.assert_close(lengths, expected.expand(4, 7), rtol=1e-4, atol=1e-4)
    assert changes.abs().max() < 1e-9 and motion.abs().max() < 1e-9


def test_motion_by_hand():
    # The head rises 2 cm, then 6 cm: the neck grows to 0.62 and 0.68 m, 0.6333 on
    # average. Units are 2 cm.
    _, changes, motion = window_features(*(body(neck) for neck in (0.6, 0.62, 0.68)))
    change = torch.tensor([-1 / 30, -1 / 75, 7 / 150]).double() / 0.02
    torch.testing.assert_close(changes[:, 0], change, rtol=1e-5, atol=1e-5)
    assert changes[:, 1:].abs().max() < 1e-9
    motion = motion.unflatten(1, (6, 6))
    head = motion[:, 1]
    assert head[:, 1].tolist() == pytest.approx([-1, -1, -3], abs=1e-5)
    assert head[0, 4].item() == pytest.approx(0, abs=1e-5)
    # Between the two steps the head speeds up by 4 cm per frame.
    assert head[1, 4].item() == pytest.approx(-2, abs=1e-5)
    assert motion[:, [0, 2, 3, 4, 5]].abs().max() < 1e-9
    assert head[:, [0, 2, 3, 5]].abs().max() < 1e-9


@pytest.mark.parametrize(
    ('features', 'ignores'),
    [
        (('lengths', 'changes'), {'keypoints', 'place', 'path'}),
        (('motion',), {'keypoints', 'place'}),
        (('lengths', 'keypoints'), {'place', 'path'}),
    ],
)
def test_what_the_features_leave_out(features, ignores):
    net, (x, y) = build({**TEMPORAL, 'features': features}), batch()
    path = y.clone()
    path[:, 3] += 0.02
    changed = {
        'keypoints': (x.flip(0), y),
        'place': (x, y + 2.0),
        'path': (x, path),
        'lengths': (x, torch.cat([1.1 * y[:, :1], y[:, 1:]], 1)),
    }
    energy = net(x, y)
    same = {
        name
        for name, each in changed.items()
        if torch.allclose(net(*each), energy, rtol=0, atol=1e-9)
    }
    assert same == ignores


def test_residual_takes_the_focal_length_of_the_camera():
    _, y = batch()
    far = y + torch.tensor([0.3, -0.2, 4.0], dtype=torch.float64)
    seen = 2.29 * far[..., :2] / far[..., 2:]
    config = {**TEMPORAL, 'features': ('residual',)}
    assert build({**config, 'focal': 2.29}).describe(seen, y).abs().max() < 1e-9
    assert build(config).describe(seen, y).abs().max() > 0.1


def test_every_frame_hears_of_the_whole_window():
    x, y = batch(frames=30)
    frames = changed_frames(build(TEMPORAL), x, y, 29)
    # Convolutions alone would reach three frames.
    assert frames == [[1, frame] for frame in range(30)]


def test_features_that_nobody_knows_are_named():
    with pytest.raises(
        ValueError, match=r'residual, changes, motion, but got \(.speed'
    ):
        build({**TEMPORAL, 'features': ('speed',)})


@pytest.mark.parametrize('config', NETS)
def test_trainer_teaches_them(config):
    net = build(config).float()
    x, true = (part.float() for part in batch(16))
    pred = true + 0.1 * torch.randn_like(true)
    trainer = LossNetTrainer(
        net, MarginObjective(), torch.optim.Adam(net.parameters(), lr=5e-3)
    )
    figures = [trainer.step(x, pred, true) for _ in range(40)]
    assert figures[-1]['objective'] < 0.8 * figures[0]['objective']
    assert figures[-1]['ranked_right'] > 0.85
    _, gradient = trainer.energy_and_gradient(x, pred)
    assert (gradient != 0).all()


@pytest.mark.parametrize('config', NETS)
def test_hook_trains_a_model_of_windows_with_them(tmp_path, config):
    hook = seal(loss_net=config)
    results = [
        run(tmp_path, *hooks, dataset=TinyPoses(frames=5), epochs=1)
        for hooks in ((), (hook,))
    ]
    plain, with_seal = map(pose_weights, results)
    assert not same(plain, with_seal)
    assert all(value.isfinite().all() for value in with_seal.values())


@pytest.mark.parametrize('config', NETS)
def test_hook_refuses_models_of_single_frames(tmp_path, config):
    with pytest.raises(ValueError, match='compares the frames of a window'):
        run(tmp_path, seal(loss_net=config), epochs=1)
