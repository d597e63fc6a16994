"""What SEALHook keeps in a checkpoint, and how it comes back."""

from collections.abc import Mapping

from sealpose.seal.energy_term import EnergyTerm
from sealpose.seal.trainer import LossNetTrainer

STATE_VERSION = 2


def seal_state(trainer: LossNetTrainer, energy_term: EnergyTerm) -> dict:
    """Return loss-net, its optimizer and the balance, as tensors and plain values."""
    return dict(
        version=STATE_VERSION,
        **trainer.state_dict(),
        balance=energy_term.balance.state_dict(),
    )


def restore_seal_state(
    state: Mapping | None, trainer: LossNetTrainer, energy_term: EnergyTerm
) -> None:
    """Give back what :func:`seal_state` returned.

    Raises:
        ValueError: there is no state, or it does not fit.
    """
    if state is None:
        raise ValueError(
            'cannot resume: the checkpoint has no entry `seal`, so it comes from a run '
            'without SEALHook. Use it as `load_from` to start from its pose-net, or '
            'resume with the config that wrote it'
        )
    if state['version'] != STATE_VERSION:
        raise ValueError(
            f'cannot resume: the entry `seal` has version {state["version"]}, this '
            f'program reads version {STATE_VERSION}'
        )
    try:
        trainer.load_state_dict(state)
        energy_term.balance.load_state_dict(state['balance'])
    except (KeyError, RuntimeError, ValueError) as error:
        raise ValueError(
            'cannot resume: the entry `seal` of the checkpoint does not fit the '
            f'loss-net and optimizer of this config: {error}'
        ) from error
