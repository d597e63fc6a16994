#!/usr/bin/env python
"""Time of a training step: the pose-net alone, with SEAL, and with the published SEAL.

    OMP_NUM_THREADS=1 python benchmarks/train_step.py [--only NETWORK ...] [--json FILE]

All forms train the same pose-net, in turn, in one process: what the machine does beside
hits all alike, and so does the place of the network in memory. A step is all that an
iteration computes, both optimizers included; the batch is there already. *published* is
the loop of published_loop.py, *no-grad* the same without the gradients that it computes
and throws away. The other SEAL steps are what SEALHook does, with the configs named in
FORMS.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.utils import import_modules_from_strings
from published_loop import PublishedLoop, PublishedLossNet
from results import headline, write_json
from tabulate import tabulate
from torch import Tensor, nn

from sealpose.apis.timing import interleaved_times, median_ratio
from sealpose.engine import Bf16OptimWrapper
from sealpose.engine.fused import fused_optimizer
from sealpose.models.pose_lifter import PoseLifter
from sealpose.seal import SEALHook
from sealpose.seal.build import build_loss_net, build_loss_net_trainer
from sealpose.skeletons import H36M17

CONFIGS = Path(__file__).parents[1] / 'configs' / '_base_' / 'seal'
OPTIMIZER = dict(type='AdamW', lr=1e-5)

Step = Callable[[], object]


@dataclass(frozen=True)
class Network:
    """A pose-net and its batch.

    Args:
        backbone: Its config.
        frames: Of the input.
        batch: Windows on a CPU.
        gpu_batch: Windows on a GPU.
    """

    backbone: dict
    frames: int
    batch: int
    gpu_batch: int


NETWORKS = {
    'SimpleBaseline': Network(dict(type='SimpleBaseline'), 1, 64, 1024),
    'VideoPose3D-27': Network(
        dict(type='VideoPose3D', filter_widths=(3, 3, 3)), 27, 256, 1024
    ),
    'VideoPose3D-243': Network(
        dict(type='VideoPose3D', filter_widths=(3,) * 5), 243, 32, 1024
    ),
    'PoseFormerV2-27': Network(
        dict(type='PoseFormerV2', num_frames=27, kept_frames=3, kept_coefficients=3),
        27,
        64,
        1024,
    ),
    'MixSTE-small': Network(
        dict(type='MixSTE', num_frames=27, embed_dims=256, depth=4), 27, 2, 64
    ),
    'MixSTE': Network(dict(type='MixSTE', num_frames=27), 27, 1, 32),
}
PUBLISHED = {'published': True, 'no-grad': False}
SMALL = dict(type='GraphLossNet', embed_dims=128, num_heads=4, depth=3)
# Name -> config of SEALHook, and what is changed in it.
FORMS = {
    'ours': ('published.py', {}),
    'one pass': ('published.py', dict(one_pass=True)),
    'fresh': ('published.py', dict(negatives='fresh')),
    'small': ('published.py', dict(loss_net=SMALL)),
    'bones': ('structure.py', dict(energy_at='training')),
    'default': ('structure.py', {}),
    'thinned': ('structure.py', dict(thinning=2)),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time a training step of several pose-nets: without SEAL, with '
        'ours in several forms, with the published loop.'
    )
    parser.add_argument('--only', nargs='+', choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument('--repeats', type=int, default=11, help='rounds')
    parser.add_argument('--warmup', type=int, default=3, help='steps before them')
    parser.add_argument('--batch', type=int, help='windows, instead of our choice')
    parser.add_argument('--device', type=torch.device, default='cpu')
    parser.add_argument(
        '--processor-time',
        action='store_true',
        help='count the time of the processor, for a busy machine and one thread',
    )
    parser.add_argument('--bf16', action='store_true', help='autocast, all forms')
    parser.add_argument('--compile', action='store_true', help='all networks')
    parser.add_argument('--json', metavar='FILE', help='write the figures here')
    args = parser.parse_args()
    on_gpu = args.device.type == 'cuda'
    if args.processor_time and on_gpu:
        parser.error('--processor-time says nothing of a GPU')
    return args


def main() -> None:
    args = parse_args()
    import_modules_from_strings(['sealpose.models'])
    print(f'{headline(args.device)}; medians of {args.repeats}, ms')
    rows = [row(name, args) for name in args.only]
    print(tabulate(rows, headers='keys', floatfmt='.2f'))
    if args.json:
        settings = {k: v for k, v in vars(args).items() if k not in ('device', 'json')}
        write_json(args.json, rows, args.device, **settings)


def row(name: str, args: argparse.Namespace) -> dict:
    """Time all forms with one pose-net; a row of the table."""
    network = NETWORKS[name]
    on_gpu = args.device.type == 'cuda'
    batch = args.batch or (network.gpu_batch if on_gpu else network.batch)
    forms = Forms(network.backbone, args.device, args.bf16, args.compile)
    data = random_batch(batch, network.frames, forms.model.backbone, args.device)
    clock = time.process_time if args.processor_time else time.perf_counter
    times = interleaved_times(
        forms.steps(data), args.repeats, args.device, args.warmup, clock
    )
    ms = {key: 1e3 * statistics.median(value) for key, value in times.items()}
    return {
        'network': name,
        'batch': batch,
        **ms,
        'published / ours': median_ratio(times['published'], times['ours']),
        'no-grad / ours': median_ratio(times['no-grad'], times['ours']),
        'published / one pass': median_ratio(times['published'], times['one pass']),
        'no-grad / one pass': median_ratio(times['no-grad'], times['one pass']),
        'one pass / base': median_ratio(times['one pass'], times['base']),
        'ours / base': median_ratio(times['ours'], times['base']),
        'small / base': median_ratio(times['small'], times['base']),
        'bones / base': median_ratio(times['bones'], times['base']),
        'default / base': median_ratio(times['default'], times['base']),
        'thinned / base': median_ratio(times['thinned'], times['base']),
    }


def random_batch(
    batch: int, frames: int, backbone: nn.Module, device: torch.device
) -> dict[str, Tensor]:
    """Return random windows, and truth of the frames that the backbone predicts."""
    generator = torch.Generator().manual_seed(0)
    targets = frames if backbone.seq2seq else 1
    x = torch.randn(batch, frames, 17, 2, generator=generator)
    y = torch.randn(batch, targets, 17, 3, generator=generator)
    return {
        'keypoints_2d': (0.3 * x).to(device),
        'keypoints_3d': (0.3 * y).to(device),
    }


class Forms:
    """All forms of a training step around one pose-net.

    Args:
        backbone: Config of its backbone.
        device: Where it computes.
        bf16: Compute in mixed precision.
        compiled: Compile backbone and loss-nets.
    """

    def __init__(
        self, backbone: dict, device: torch.device, bf16: bool, compiled: bool
    ) -> None:
        torch.manual_seed(0)
        losses = dict(pose=dict(type='MPJPELoss'))
        self.model = PoseLifter(dict(backbone), 'h36m17', losses).to(device).train()
        self.device = device
        self.bf16 = bf16
        self.compiled = compiled
        if compiled:
            self.model.backbone.compile()
        wrapper = dict(type=Bf16OptimWrapper) if bf16 else {}
        self.optim_wrapper: OptimWrapper = build_optim_wrapper(
            self.model, dict(**wrapper, optimizer=fused_optimizer(OPTIMIZER, device))
        )

    def steps(self, data: dict[str, Tensor]) -> dict[str, Step]:
        """Return each form as a call without arguments."""
        steps: dict[str, Step] = {'base': lambda: self._iterate(data)}
        for name, gradients in PUBLISHED.items():
            steps[name] = self._published(data, gradients)
        for name, (file, changes) in FORMS.items():
            steps[name] = self._seal(data, CONFIGS / file, changes)
        return steps

    def _iterate(self, data: dict[str, Tensor]) -> None:
        self.model.train_step(data, self.optim_wrapper)

    def _seal(self, data: dict[str, Tensor], file: Path, changes: dict) -> Step:
        config = {**Config.fromfile(file).custom_hooks[0].to_dict(), **changes}
        del config['type']
        config.pop('warmup_iters', None)
        hook = SEALHook(**config)
        loss_net = build_loss_net(hook.loss_net, H36M17, 0).to(self.device)
        if self.compiled:
            loss_net.compile()
        hook.trainer = build_loss_net_trainer(
            loss_net,
            H36M17,
            self.optim_wrapper,
            hook.objective,
            hook.optim_wrapper,
            hook.contrast,
            hook.updates,
        )

        def step() -> None:
            hook.attach(self.model)
            self._iterate(data)
            self.model.energy_fn = None

        return step

    def _published(self, data: dict[str, Tensor], gradients: bool) -> Step:
        window, truth = data['keypoints_2d'], data['keypoints_3d']
        first = (window.shape[1] - truth.shape[1]) // 2
        x = window[:, first : first + truth.shape[1]]
        loss_net = PublishedLossNet(H36M17).to(self.device)
        if self.compiled:
            loss_net.compile()
        backbone = self.model.backbone
        loop = PublishedLoop(
            backbone,
            loss_net,
            lambda pred, y: (pred - y).norm(dim=-1).mean(),
            torch.optim.AdamW(backbone.parameters(), lr=OPTIMIZER['lr']),
            torch.optim.AdamW(loss_net.parameters(), lr=1e-4),
            gradients,
        )

        def step() -> None:
            mixed = torch.autocast(self.device.type, torch.bfloat16)
            with mixed if self.bf16 else nullcontext():
                loop.step(window, x, truth)
            # The pose-net is shared: the next form must not find these gradients.
            backbone.zero_grad()

        return step


if __name__ == '__main__':
    main()
