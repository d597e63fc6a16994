"""Where a fault began, over all processes of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from sealpose.engine.fault_record import STAGES, Findings


@dataclass
class FaultReport:
    """What all processes know of a fault.

    Attributes:
        first: The first iteration with a fault, as the process has it where the fault
            began; with the windows of all such processes.
        iterations: How many iterations had a fault.
        processes: Ranks of the processes where it began; empty in a run of one.
    """

    first: Findings
    iterations: int
    processes: list[int] = field(default_factory=list)


def report_own(found: Sequence[Findings]) -> FaultReport | None:
    """Return what this process has found, None if nothing."""
    faulty = [findings for findings in found if findings.faults]
    return FaultReport(faulty[0], len(faulty)) if faulty else None


def report_all(found: Sequence[Findings], device: torch.device) -> FaultReport | None:
    """Return what any process has found, None if nothing; call it on all.

    Gradients are averaged over the processes, so that a fault of one is soon in all of
    them. It began where it came up in the earliest stage of the earliest iteration.

    Args:
        found: Of this process.
        device: Of the model, on which the processes can talk.
    """
    own = report_own(found)
    if not torch.distributed.is_initialized():
        return own
    flag = torch.tensor(int(own is not None), device=device)
    torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX)
    if not flag:
        return None
    # Slow, but only where something is wrong.
    world = torch.distributed.get_world_size()
    everyones: list[FaultReport | None] = [None] * world
    torch.distributed.all_gather_object(everyones, own)
    faulty = {rank: report for rank, report in enumerate(everyones) if report}
    began = min(_moment(report.first) for report in faulty.values())
    processes = [r for r, report in faulty.items() if _moment(report.first) == began]
    windows = [w for rank in processes for w in faulty[rank].first.windows]
    return FaultReport(
        replace(faulty[processes[0]].first, windows=windows),
        max(report.iterations for report in faulty.values()),
        processes,
    )


def _moment(findings: Findings) -> tuple[int, int]:
    return findings.iteration, STAGES.index(findings.faults[0][0])
