"""Everything that is asked of an energy, as figures with intervals."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sealpose.analysis.attribution import (
    joint_norms,
    locate_moved_joint,
    rank_agreement,
    same_worst,
)
from sealpose.analysis.calibration import equal_bins
from sealpose.analysis.correlation import spearman_over_clips, spearman_within
from sealpose.analysis.corruptions import KINDS, corrupt
from sealpose.analysis.energy_field import EnergyField
from sealpose.analysis.gradients import (
    cosines,
    descend,
    metric_gradient,
    norms,
    random_steps,
)
from sealpose.analysis.intervals import Estimate, mean_over_clips
from sealpose.analysis.poses import PoseSet
from sealpose.analysis.ranking import ranked_right, violated_hinges

PERCENT = 100.0
MM_PER_METRE = 1000.0
# Of this metric no gradient is taken: it is constant under the fit it contains.
NO_GRADIENT = ('P-MPJPE',)
MOVED = 0.1

Figures = dict[str, Any]


class Judge:
    """Asks the energy about the predictions of one pose-net.

    Args:
        poses: The predictions and their truth, on the device of the loss-net.
        field: The energy over the same frames.
        objective: What the loss-net learned from, for its margin; None if not known.
    """

    def __init__(
        self, poses: PoseSet, field: EnergyField, objective: nn.Module | None = None
    ) -> None:
        self.poses = poses
        self.field = field
        self.objective = objective
        self.rows = field.windows.frames().to(poses.pred.device)
        self.clips = poses.clip[self.rows]
        self.energy_true = field.energy(poses.gt)
        self.energy_pred = field.energy(poses.pred)
        self.gap = self.energy_pred - self.energy_true
        self.gradient = field.gradient(poses.pred)
        self.errors = {m: poses.metric(m, poses.pred) for m in poses.measures()}

    def mean(self, values: Tensor) -> Estimate:
        """Return the mean over the frames that have an energy.

        Args:
            values: (N,), one per frame.
        """
        return mean_over_clips(values[self.rows].cpu(), self.clips.cpu())

    def predictions(self, lengths: Sequence[float], count: int) -> Figures:
        """Ask everything that there is to ask about the predictions.

        Args:
            lengths: Of a step along the gradient, metres.
            count: Steps to take.
        """
        return {
            'name': self.poses.name,
            'frames': len(self.rows),
            'clips': len(self.clips.unique()),
            'overview': self.overview(),
            'correlation': self.correlations(),
            'ranking': self.ranking(self.poses.pred, self.energy_pred),
            'gradient': self.gradients(),
            'steps': self.steps(lengths, count),
            'attribution': self.attribution(),
            'calibration': self.calibration(),
        }

    def overview(self) -> Figures:
        """Return the mean errors and energies."""
        return {
            'errors': {m: self.mean(v) for m, v in self.errors.items()},
            'energy_pred': self.mean(self.energy_pred),
            'energy_true': self.mean(self.energy_true),
            'energy_gap': self.mean(self.gap),
        }

    def correlations(self) -> Figures:
        """Correlate energy and gap with the errors, over all and within sequences."""
        clips = self.clips.cpu()
        sequences = self.poses.sequence[self.rows].cpu()
        found: Figures = {}
        for name, energy in {'energy': self.energy_pred, 'gap': self.gap}.items():
            energy = energy[self.rows].cpu()
            found[name] = {}
            for metric, error in self.errors.items():
                error = error[self.rows].cpu()
                within, count = spearman_within(energy, error, sequences, clips)
                found[name][metric] = {
                    'all_frames': spearman_over_clips(energy, error, clips),
                    'within_sequences': within,
                    'sequences': count,
                }
        return found

    def ranking(self, negative: Tensor, energy: Tensor) -> Figures:
        """Compare negatives with the truth.

        Args:
            negative: (N, J, 3), metres.
            energy: (N,), of the negatives.
        """
        violated = violated_hinges(
            self.objective, energy, self.energy_true, negative, self.poses.gt
        )
        return {
            'ranked_right_%': self.mean(
                ranked_right(energy, self.energy_true) * PERCENT
            ),
            'energy_gap': self.mean(energy - self.energy_true),
            'violated_%': None if violated is None else self.mean(violated * PERCENT),
        }

    def corruptions(self) -> list[Figures]:
        """Rank corrupted truths, by kind and severity, against the truth."""
        rows = self.field.windows.rows.to(self.poses.pred.device)
        windows = [v[rows] for v in (self.poses.x, self.poses.pred, self.poses.gt)]
        measured = []
        for kind in KINDS:
            for severity, config in kind.configs():
                negative = self.poses.gt.clone()
                found = corrupt(config, *windows, self.poses.skeleton)
                own = self.field.windows.own.to(rows.device)
                negative[rows[own]] = found[own]
                errors = {
                    m: self.mean(self.poses.metric(m, negative)) for m in self.errors
                }
                measured.append(
                    {
                        'kind': kind.type,
                        'severity': severity * kind.factor,
                        'unit': kind.unit,
                        'errors': errors,
                        **self.ranking(negative, self.field.energy(negative)),
                    }
                )
        return measured

    def gradients(self) -> Figures:
        """Compare the energy's gradient at the predictions with those of the errors."""
        towards = {}
        for name in self.errors:
            if name in NO_GRADIENT:
                continue
            slope = metric_gradient(
                lambda y, name=name: self.poses.metric(name, y), self.poses.pred
            )
            cosine = cosines(self.gradient, slope)
            towards[name] = {
                'cosine': self.mean(cosine),
                'positive_%': self.mean(_share(cosine > 0, cosine)),
            }
            if name == 'MPJPE':
                # The pose loss is in metres, the metric in millimetres.
                pose_norm = norms(slope) / MM_PER_METRE
        return {
            'norm': self.mean(norms(self.gradient)),
            'over_pose_gradient': self.mean(norms(self.gradient) / pose_norm),
            'towards': towards,
        }

    def steps(self, lengths: Sequence[float], count: int) -> list[Figures]:
        """Follow the energy from the predictions and measure what becomes of them.

        Beside it a random direction, as far.

        Args:
            lengths: Of a step, metres.
            count: Steps to take.
        """
        measured = []
        start = self.poses.pred
        aside = random_steps(start)
        for length in lengths:
            ends = {
                'energy': descend(self.field, start, length, count),
                'random': start + length * count * aside,
            }
            for direction, end in ends.items():
                change = {
                    m: self.mean(self.poses.metric(m, end) - error)
                    for m, error in self.errors.items()
                }
                better = self.poses.metric('MPJPE', end) < self.errors['MPJPE']
                measured.append(
                    {
                        'direction': direction,
                        'length_mm': length * MM_PER_METRE,
                        'steps': count,
                        'change': change,
                        'energy_change': self.mean(
                            self.field.energy(end) - self.energy_pred
                        ),
                        'better_%': self.mean(better * PERCENT),
                    }
                )
        return measured

    def attribution(self) -> Figures:
        """Blame joints, and compare with where the errors are."""
        blame = joint_norms(self.gradient)
        error = joint_norms(self.poses.pred - self.poses.gt) * MM_PER_METRE
        joints = self.poses.skeleton.joint_names
        return {
            'joints': {
                name: {
                    'gradient': self.mean(blame[:, j]),
                    'error_mm': self.mean(error[:, j]),
                }
                for j, name in enumerate(joints)
            },
            'rank_agreement': self.mean(rank_agreement(blame, error)),
            'same_worst_%': self.mean(same_worst(blame, error) * PERCENT),
            'chance_%': PERCENT / len(joints),
        }

    def localisation(self) -> Figures:
        """Move one joint of each truth and see whether the energy points to it."""
        root = self.poses.skeleton.root
        found = locate_moved_joint(self.field, self.poses.gt, MOVED, root)
        return {
            'moved_mm': MOVED * MM_PER_METRE,
            'found_%': self.mean(found.found * PERCENT),
            'chance_%': PERCENT / self.poses.skeleton.num_joints,
            'cosine_back': self.mean(found.points_back),
            'points_back_%': self.mean(
                _share(found.points_back > 0, found.points_back)
            ),
        }

    def calibration(self) -> list[Figures]:
        """Sort the predictions into ten equal bins by energy, lowest first."""
        energy = self.energy_pred[self.rows]
        bins = equal_bins(energy)
        measured = []
        for number in bins.unique().tolist():
            inside = bins == number
            errors = {
                m: mean_over_clips(v[self.rows][inside].cpu(), self.clips[inside].cpu())
                for m, v in self.errors.items()
            }
            low, high = energy[inside].aminmax()
            measured.append(
                {
                    'energy_low': low.item(),
                    'energy_high': high.item(),
                    'errors': errors,
                }
            )
        return measured


def _share(condition: Tensor, values: Tensor) -> Tensor:
    """Return 100 or 0 per frame; NaN where the value itself is none."""
    return torch.where(values.isnan(), torch.nan, condition * PERCENT)
