"""Notices from the logged figures when a loss-net goes wrong."""

import math
from collections import Counter
from collections.abc import Mapping

CHANCE = (
    'the loss-net ranks no better than chance: {ranked_right:.0%} of the predictions '
    'have more energy than the truth (0.5 is chance) for {patience} log intervals'
)
REMEDIES = {
    'collapse': CHANCE + ', and the gap between their energies has shrunk to '
    '{energy_gap:.2g}: it has collapsed, and its energy tells the pose-net nothing. '
    'To try: a higher learning rate or more `updates` for the loss-net, a lower '
    'energy_weight or energy_ratio (the pose-net learns to fool it), further '
    'negatives (`contrast`), an objective with a margin',
    'chance': CHANCE + ', although their energies differ by {energy_gap:.2g} on '
    'average: a few poses make up the gap. To try: more `updates` for the loss-net, '
    'an objective that compares frame by frame, less dropout, a lower energy_weight',
    'explosion': 'the energy has grown to {energy:.2g}, from {early:.2g} at the start '
    'of this run: nothing bounds it. To try: weight decay or a lower learning rate for '
    'the loss-net, clip its gradients (optim_wrapper.clip_grad), an objective that is '
    'satisfied by a margin, so that it stops pushing the energies apart',
    'drowning': 'the gradient of the energy is {share:.3g} times that of all other '
    'losses for {patience} log intervals: the pose-net hardly follows its pose loss. '
    'To try: a lower energy_weight, or energy_ratio, which keeps the share where it '
    'is set; 0.1 is a start',
}
EARLY = 3
LEAST_EARLY = 0.1


class EnergyWatch:
    """Warns, once for each kind of trouble, with what to try.

    - *collapse*: the truth is told from the prediction no better than by chance in
      several log intervals, and the gap between their energies is small.
    - *chance*: the same, but the gap is not small.
    - *explosion*: the energies have grown out of all proportion.
    - *drowning*: the weighted energy pulls far harder than all other losses.

    What is compared with the start is compared with that of the process: a resumed run
    begins anew.

    Args:
        patience: Log intervals in a row until a ranking or a weight is trouble.
        chance: ``ranked_right`` up to which the ranking counts as chance.
        small_gap: Gap that counts as small, as a share of the largest in the run or of
            the energies, whichever is larger.
        growth: Growth of the energy since the start that counts as explosion.
        limit: Energy that counts as explosion anyway.
        share: Of the energy's gradient in that of all other losses, from which it
            drowns them.
    """

    def __init__(
        self,
        patience: int = 5,
        chance: float = 0.55,
        small_gap: float = 0.1,
        growth: float = 1e4,
        limit: float = 1e6,
        share: float = 10.0,
    ) -> None:
        self.patience = patience
        self.chance = chance
        self.small_gap = small_gap
        self.growth = growth
        self.limit = limit
        self.share = share
        self._in_a_row: Counter[str] = Counter()
        self._largest_gap = 0.0
        self._early: list[float] = []
        self._warned: set[str] = set()

    def update(self, figures: Mapping[str, float]) -> list[str]:
        """Take in the figures of a log interval.

        Args:
            figures: Those of :meth:`~sealpose.seal.LossNetTrainer.step`,
                ``gradient_ratio`` and ``energy_weight``; any may be missing, as those
                of a loss-net that does not learn, or NaN.

        Returns:
            Warnings that were not given before.
        """
        troubles = {
            **self._ranking(figures),
            **self._size(figures),
            **self._pull(figures),
        }
        new = [kind for kind in troubles if kind not in self._warned]
        self._warned.update(new)
        return [
            'SEAL: ' + REMEDIES[kind].format(patience=self.patience, **troubles[kind])
            for kind in new
        ]

    def _ranking(self, figures: Mapping[str, float]) -> dict[str, dict]:
        right, gap = figures.get('ranked_right'), figures.get('energy_gap')
        if right is None or gap is None or not math.isfinite(right + gap):
            return {}
        self._largest_gap = max(self._largest_gap, abs(gap))
        if not self._lasts('chance', right <= self.chance):
            return {}
        scale = max(self._largest_gap, _size(figures))
        kind = 'collapse' if abs(gap) <= self.small_gap * scale else 'chance'
        return {kind: dict(ranked_right=right, energy_gap=gap)}

    def _size(self, figures: Mapping[str, float]) -> dict[str, dict]:
        energy = _size(figures)
        if math.isnan(energy):
            return {}
        if len(self._early) < EARLY:
            self._early.append(energy)
        early = max(min(self._early), LEAST_EARLY)
        if energy <= min(self.growth * early, self.limit):
            return {}
        return {'explosion': dict(energy=energy, early=self._early[0])}

    def _pull(self, figures: Mapping[str, float]) -> dict[str, dict]:
        names = ('gradient_ratio', 'energy_weight')
        share = math.prod(figures.get(name, 0.0) for name in names)
        if not self._lasts('drowning', share > self.share):
            return {}
        return {'drowning': dict(share=share)}

    def _lasts(self, what: str, now: bool) -> bool:
        self._in_a_row[what] = self._in_a_row[what] + 1 if now else 0
        return self._in_a_row[what] >= self.patience


def _size(figures: Mapping[str, float]) -> float:
    """Larger absolute mean energy, of predictions or of truths; 0 if neither is there.

    Infinite if one is, NaN if one is NaN.
    """
    energies = [abs(figures.get(f'energy_{kind}', 0.0)) for kind in ('pred', 'true')]
    return math.nan if any(map(math.isnan, energies)) else max(energies)
