"""Whether the validation split is one that values may be chosen on."""

from sealpose.apis.preflight import build_model, fill_window
from sealpose.registry import DATASETS
from sealpose.study.resolve import resolve
from sealpose.study.spec import Arm, Study


def check_splits(study: Study, arm: Arm) -> None:
    """Refuse to tune where validation and test share sequences.

    Some protocols have no validation split and use the test data in its place.

    Args:
        study: The study.
        arm: The arm whose data sets are looked at.

    Raises:
        ValueError: a sequence is in both.
    """
    cfg = resolve(study, arm, study.seeds[0])
    backbone = build_model(cfg).backbone
    keys = ('subject', 'clip', 'camera')
    found = {}
    for split in ('val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        fill_window(dataset, backbone, evaluate=True)
        sequences = DATASETS.build(dataset).metainfo['sequences']
        found[split] = {tuple(s[key] for key in keys) for s in sequences}
    shared = found['val'] & found['test']
    if shared:
        raise ValueError(
            f'{len(shared)} sequences are in the validation and in the test split '
            f'({"/".join(min(shared))} is one), so tuning would choose on test data; '
            'give val_dataloader.dataset a split of its own, such as subjects taken '
            'from the training split'
        )
