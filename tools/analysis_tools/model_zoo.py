#!/usr/bin/env python
"""Write docs/model_zoo.md from the configs: model_zoo.py, or model_zoo.py --check."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from tabulate import tabulate

from sealpose.apis.complexity import measure_complexity
from sealpose.apis.config import load_config
from sealpose.apis.preflight import build_model

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/model_zoo.md'
INTRODUCTION = """\
# Model zoo

Written by `python tools/analysis_tools/model_zoo.py` from the configs; do not edit.

Each row is a config in `configs/baseline/`; the one of the same name in `configs/seal/`
adds the loss-net in the form that `docs/method.md` found best, the one that ends in
`_published` in the authors' form. A multiply-add counts as two FLOPs; FLOPs are per
predicted frame, the same with SEAL as without. *Published* figures are the authors', in
millimetres, under their protocol and with the 2D keypoints named; those marked † were
taken from a leader board or from memory of the paper, not from the authors'
repository. *Ours* is what we measured with the config; empty where we measured nothing.
"""
DATASETS = {
    'Human36M': 'Human3.6M',
    'MPIINF3DHP': 'MPI-INF-3DHP',
    'H3WB': 'H3WB',
    'CMUMocap': 'CMU mocap',
    'SampleMotion': 'sample (generated)',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Write docs/model_zoo.md.')
    parser.add_argument(
        '--check', action='store_true', help='fail if the page is out of date instead'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    text = page(sorted((ROOT / 'configs/baseline').glob('*.py')))
    if not args.check:
        PAGE.write_text(text, encoding='utf-8')
        print(f'written: {PAGE}')
    elif PAGE.read_text(encoding='utf-8') != text:
        sys.exit(f'{PAGE} is out of date: run python tools/analysis_tools/model_zoo.py')


def page(configs: Iterable[Path]) -> str:
    """Return the page: one table for each data set."""
    tables = {name: [] for name in DATASETS}
    for path in configs:
        cfg = load_config(path)
        tables[cfg.test_dataloader.dataset.type].append(row(path, cfg))
    headers = [
        'config', 'backbone', 'frames', 'parameters', 'MFLOPs / frame',
        'published', '2D', 'source', 'ours', 'ours, SEAL as published',
    ]  # fmt: skip
    parts = [INTRODUCTION]
    for name, rows in tables.items():
        table = tabulate(rows, headers, tablefmt='github', disable_numparse=True)
        parts.append(f'## {DATASETS[name]}\n\n{table}\n')
    return '\n'.join(parts)


def row(path: Path, cfg: Config) -> list[str]:
    """Return the row of a config."""
    model = build_model(cfg)
    cost = measure_complexity(model.backbone, model.skeleton.num_joints)
    published = cfg.get('published', {})
    measured = cfg.get('measured', {})
    return [
        f'[{path.stem}](../configs/baseline/{path.name})',
        type(model.backbone).__name__,
        str(model.backbone.num_frames),
        f'{cost.parameters:,}',
        f'{cost.flops_per_frame / 1e6:,.1f}',
        figures(published),
        published.get('keypoints', ''),
        published.get('source', '') + (' †' if published.get('second_hand') else ''),
        figures(measured.get('baseline', {})),
        figures(measured.get('seal_published', {})),
    ]


def figures(entry: dict) -> str:
    """Join the figures of an entry: MPJPE / P-MPJPE, then PCK and AUC."""
    text = ' / '.join(
        f'{entry[key]:.1f}' for key in ('MPJPE', 'P_MPJPE') if key in entry
    )
    extra = ', '.join(f'{key} {entry[key]}' for key in ('PCK', 'AUC') if key in entry)
    return ', '.join(filter(None, [text, extra]))


if __name__ == '__main__':
    main()
