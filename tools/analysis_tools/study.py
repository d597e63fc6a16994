#!/usr/bin/env python
"""Run a study: study.py configs/studies/NAME.py.

Trains every arm with every seed, skips what is done, goes on where it was interrupted,
and writes report.md, .tex, .json and .png. docs/studies.md says how to write one.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sealpose.apis.cli import one_line_errors
from sealpose.study.campaign import Campaign, Failure, sole_user
from sealpose.study.compare import compare
from sealpose.study.plan import Plan
from sealpose.study.pool import Pool
from sealpose.study.report import Report
from sealpose.study.run import read_notes
from sealpose.study.spec import Study, load_study
from sealpose.study.splits import check_splits


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[1])
    add = parser.add_argument
    add('study', help='study file, e.g. configs/studies/...py')
    add('--work-dir', help='folder of runs and report (default: work_dirs/studies/..)')
    add('--jobs', type=int, default=1, help='runs at a time; 0: in this very process')
    add('--threads', type=int, default=1, help='CPU threads of each run (default: 1)')
    add('--arms', nargs='+', help='these alone, with what they need')
    add('--seeds', nargs='+', type=int, help='these alone')
    add(
        '--reuse',
        nargs='+',
        type=Path,
        default=[],
        metavar='DIR',
        help='folders of other studies: what they trained alike is not trained again',
    )
    add('--report-only', action='store_true', help='run nothing, report what is done')
    args = parser.parse_args(argv)
    if args.jobs < 0 or args.threads < 1:
        parser.error('expected --jobs of at least 0 and --threads of at least 1')
    return args


def select(name: str, wanted: Sequence | None, known: Sequence) -> Sequence:
    """Return what was asked for, in the order of the study.

    Raises:
        ValueError: the study has no such arm or seed.
    """
    unknown = [entry for entry in wanted or () if entry not in known]
    if unknown:
        raise ValueError(
            f'--{name}: the study has no {", ".join(map(str, unknown))}; it has '
            f'{", ".join(map(str, known))}'
        )
    return [entry for entry in known if wanted is None or entry in wanted]


def run(study: Study, plan: Plan, args: argparse.Namespace) -> list[Failure]:
    """Do what is not done yet."""
    with one_line_errors():
        arms = select('arms', args.arms, list(study.arms))
        seeds = select('seeds', args.seeds, study.seeds)
        tasks = plan.tasks(arms, seeds)
        if any(task.candidate is not None for task in tasks):
            check_splits(study, study.arms[study.baseline])
        pool = Pool(args.jobs, args.threads)
        campaign = Campaign(
            plan, pool, lambda line: print(line, flush=True), args.reuse
        )
    try:
        return campaign.run(tasks)
    except KeyboardInterrupt:
        sys.exit('interrupted; the same command goes on')
    finally:
        pool.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study and report; return 0, or 1 if something failed."""
    args = parse_args(argv)
    with one_line_errors():
        study = load_study(args.study)
        work_dir = Path(args.work_dir or f'work_dirs/studies/{study.name}')
        plan = Plan(study, work_dir)
    failures = []
    if not args.report_only:
        with ExitStack() as stack:
            with one_line_errors():
                stack.enter_context(sole_user(work_dir))
            failures = run(study, plan, args)
    command = f'python tools/analysis_tools/study.py {shlex.quote(args.study)}'
    if args.work_dir:
        command += f' --work-dir {shlex.quote(args.work_dir)}'
    tuning = read_notes(work_dir / 'tuning.json')
    report = Report(compare(plan), tuning, failures, command)
    print(f'\n{report.text()}\n')
    for path in report.write(work_dir):
        print(path)
    return 1 if report.faults else 0


if __name__ == '__main__':
    sys.exit(main())
