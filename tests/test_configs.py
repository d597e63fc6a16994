"""Every config of the repository: builds, trains, evaluates, saves, resumes.

On tiny data in the official form of its data set, with its network made narrow; what
stays is what a config is about: how its parts fit together.
"""

import pytest
import torch

from sealpose.apis import build_tester, build_trainer, evaluate, load_config
from tests.conftest import ROOT, SMALL_LOSS_NET, h36m_files, run_number
from tests.official_files import h3wb_files, mpi_inf_3dhp_files

CONFIGS = sorted(
    str(path.relative_to(ROOT))
    for folder in ('baseline', 'seal')
    for path in (ROOT / 'configs' / folder).glob('*.py')
)
# Narrow, and short where the window costs: 243 frames in every config are minutes.
NARROW = {
    'SimpleBaseline': dict(channels=16),
    'H3WBSimpleBaseline': dict(channels=16),
    'LargeSimpleBaseline': dict(channels=16),
    'VideoPose3D': dict(channels=16),
    'SemGCN': dict(channels=8, num_layers=1),
    'PoseFormerV2': dict(num_frames=27, joint_dims=8, depth=1),
    'PSTMO': dict(num_frames=27, embed_dims=16, depth=1),
    'MixSTE': dict(num_frames=9, embed_dims=16, depth=1),
    'KTPFormer': dict(num_frames=9, embed_dims=16, depth=1),
    'MotionAGFormer': dict(num_frames=9, embed_dims=16, depth=1),
    'DSTformer': dict(num_frames=9, embed_dims=16, depth=1),
    'GraphMLP': dict(num_frames=9, embed_dims=16, depth=1),
    'JointFormer': dict(embed_dims=8, num_layers=2),
}
# Of 60 windows of Human3.6M, 128 of MPI-INF-3DHP, 32 of H3WB, and 4 of the sample.
BATCH = {'Human36M': 30, 'MPIINF3DHP': 64, 'H3WB': 16, 'SampleMotion': 2}


@pytest.fixture(scope='module')
def data_roots(tmp_path_factory):
    """Data set to the folder of its small files."""
    return {
        'Human36M': h36m_files(tmp_path_factory.mktemp('h36m'), frames=12),
        'MPIINF3DHP': mpi_inf_3dhp_files(tmp_path_factory.mktemp('3dhp'), frames=12),
        'H3WB': h3wb_files(tmp_path_factory.mktemp('h3wb')),
    }


@pytest.fixture(autouse=True)
def short_evaluation(monkeypatch):
    """Evaluate a few frames at once: the sequences here are short."""
    monkeypatch.setattr('sealpose.apis.preflight.EVAL_FRAMES', 8)


def small_cfg(name, work_dir, roots, epochs):
    cfg = load_config(ROOT / name, str(work_dir))
    cfg.experiment_name = f'config_{next(run_number)}'
    for stage in ('train', 'val'):
        dataset = cfg[f'{stage}_dataloader'].dataset
        if dataset.type == 'SampleMotion':
            dataset.frames = 40
        else:
            dataset.data_root = str(roots[dataset.type])
    # One window of each sequence, and an epoch of two or three iterations.
    cfg.train_dataloader.dataset.stride = 1000
    cfg.train_dataloader.batch_size = BATCH[cfg.train_dataloader.dataset.type]
    cfg.train_cfg.max_epochs = epochs
    cfg.train_cfg.val_interval = 1
    backbone = cfg.model.backbone
    backbone.update(NARROW[backbone.type])
    if 'refinement' in backbone:
        backbone.refinement.update(embed_dims=8, ffn_dims=8, num_layers=1)
    for hook in cfg.get('custom_hooks', []):
        hook.warmup_iters = 0
        if hook.loss_net.type == 'GraphLossNet':
            hook.loss_net = SMALL_LOSS_NET
    return cfg


@pytest.mark.parametrize('name', [n for n in CONFIGS if '_cmu' not in n])
def test_config_trains_evaluates_saves_and_resumes(name, tmp_path, data_roots):
    first = build_trainer(small_cfg(name, tmp_path, data_roots, epochs=1))
    first.train()
    resumed_cfg = small_cfg(name, tmp_path, data_roots, epochs=2)
    resumed_cfg.resume = True
    resumed = build_trainer(resumed_cfg)
    resumed.train()
    assert resumed.epoch == 2
    assert resumed.iter == 2 * first.iter > 0
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=True)
    assert ('seal' in saved) == name.startswith('configs/seal')
    before = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)['state_dict']
    moved = [k for k, v in saved['state_dict'].items() if not torch.equal(v, before[k])]
    assert moved
    assert all(v.isfinite().all() for v in saved['state_dict'].values())
    figures = resumed.val_loop.evaluator.metrics[0].report.action_mean
    assert 0 < figures['MPJPE'] < 1e5


def test_a_refinement_starts_from_the_network_that_it_refines(tmp_path, data_roots):
    first = small_cfg(
        'configs/baseline/jointformer_h36m.py', tmp_path / 'first', data_roots, 1
    )
    build_trainer(first).train()
    name = 'configs/seal/jointformer_refined_h36m.py'
    cfg = small_cfg(name, tmp_path / 'second', data_roots, epochs=1)
    cfg.load_from = str(tmp_path / 'first/epoch_1.pth')
    build_trainer(cfg).train()
    coarse = torch.load(cfg.load_from, weights_only=True)['state_dict']
    refined = torch.load(tmp_path / 'second/epoch_1.pth', weights_only=True)
    for key, value in coarse.items():
        assert torch.equal(refined['state_dict'][key], value), key
    assert any('refinement' in key for key in refined['state_dict'])


@pytest.mark.parametrize(
    ('trained', 'name', 'dataset', 'joints'),
    [
        ('videopose_h36m', 'videopose_h36m_to_3dhp', 'MPIINF3DHP', 16),
        ('videopose_3dhp', 'videopose_3dhp_to_h36m', 'Human36M', 16),
    ],
)
def test_a_checkpoint_is_tested_on_another_data_set(
    tmp_path, data_roots, trained, name, dataset, joints
):
    config = f'configs/baseline/{trained}.py'
    build_trainer(small_cfg(config, tmp_path / 'run', data_roots, epochs=1)).train()
    cfg = load_config(ROOT / f'configs/seal/cross/{name}.py', str(tmp_path / 'test'))
    cfg.experiment_name = f'config_{next(run_number)}'
    cfg.model.backbone.channels = 16
    cfg.test_dataloader.dataset.dataset.data_root = str(data_roots[dataset])
    tester = build_tester(cfg, tmp_path / 'run/epoch_1.pth')
    report = evaluate(tester).report
    assert report.dataset == dataset
    assert report.skeleton.endswith(f', {joints} joints')
    assert 'joints that both have' in report.protocol
    assert 0 < report.action_mean['P-MPJPE'] < 1e5


def test_every_baseline_has_its_two_seal_configs_and_the_reverse():
    names = {folder: set() for folder in ('baseline', 'seal')}
    for name in CONFIGS:
        folder, file = name.split('/')[1:]
        names[folder].add(file)
    published = {name.replace('.py', '_published.py') for name in names['baseline']}
    assert names['seal'] == names['baseline'] | published
