"""Where every pluggable part is registered, and how a config finds it by name.

mmengine admits one child registry per scope and parent, so backbones live in
``MODELS`` (their registry is an alias); parts that mmengine has no parent for are
registries of their own.
"""

import difflib

import mmengine.registry as mm


class Registry(mm.Registry):
    """mmengine's registry, with an error for unknown names that helps."""

    def get(self, key: str):
        """Return what ``key`` names.

        Raises:
            KeyError: nothing of that name is registered; the message suggests close
                names and lists what there is.
        """
        found = super().get(key)
        if found is None:
            raise KeyError(self._unknown(key))
        return found

    def _unknown(self, key: str) -> str:
        known = sorted(self.module_dict)
        close = difflib.get_close_matches(key, known, n=3)
        hint = f' Did you mean {" or ".join(close)}?' if close else ''
        library = key.split('.')[0]
        if '.' in key and library != self.scope:
            hint += f' Is the package {library!r} installed?'
        return (
            f'{self.name} {key!r} is not registered.{hint} Registered here: '
            f'{", ".join(known)}. A class of your own needs its module in '
            '`custom_imports` of the config.'
        )


def _child(parent: mm.Registry, *locations: str) -> Registry:
    return Registry(
        parent.name, parent=parent, scope='sealpose', locations=list(locations)
    )


def _own(name: str, *locations: str) -> Registry:
    return Registry(name, scope='sealpose', locations=list(locations))


MODELS = _child(mm.MODELS, 'sealpose.models')
BACKBONES = MODELS
LOSSES = MODELS
DATASETS = _child(mm.DATASETS, 'sealpose.datasets')
DATA_SAMPLERS = _child(mm.DATA_SAMPLERS, 'sealpose.datasets')
TRANSFORMS = _child(mm.TRANSFORMS, 'sealpose.datasets')
FUNCTIONS = _child(mm.FUNCTIONS, 'sealpose.datasets')
METRICS = _child(mm.METRICS, 'sealpose.evaluation')
OPTIM_WRAPPERS = _child(mm.OPTIM_WRAPPERS, 'sealpose.engine')
HOOKS = _child(mm.HOOKS, 'sealpose.engine', 'sealpose.seal')

LOSS_NETS = _own('loss_net', 'sealpose.seal')
RANKING_OBJECTIVES = _own('ranking_objective', 'sealpose.seal')
NEGATIVES = _own('negative', 'sealpose.seal')
CORRECTIONS = _own('correction', 'sealpose.seal')
FRAME_METRICS = _own('frame_metric', 'sealpose.evaluation')
SKELETONS = _own('skeleton', 'sealpose.skeletons')


def _cover_other_registries() -> None:
    """Give mmengine's other registries a child here, without which it warns."""
    roots = [root for root in vars(mm).values() if isinstance(root, mm.Registry)]
    for root in roots:
        if 'sealpose' not in root.children:
            mm.Registry(root.name, parent=root, scope='sealpose', locations=[__name__])


_cover_other_registries()
