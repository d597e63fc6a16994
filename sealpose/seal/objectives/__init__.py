"""Ranking objectives: what makes the loss-net score truth below negatives.

Every objective is called with the energies of K negatives (K, B, T'), or of one
(B, T'), the energy of the positive (B, T'), and the poses themselves (..., J, 3) in
metres; it returns a scalar.
"""

from sealpose.discovery import import_submodules
from sealpose.seal.objectives.adversarial import AdversarialObjective
from sealpose.seal.objectives.margin import MarginObjective
from sealpose.seal.objectives.nce import NCEObjective
from sealpose.seal.objectives.regression import RegressionObjective

import_submodules(__name__)

__all__ = [
    'AdversarialObjective',
    'MarginObjective',
    'NCEObjective',
    'RegressionObjective',
]
