import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from sealpose.datasets.readers.isolation import IsolatedReader


@dataclass
class Numbers:
    """A file that is read as it should, or not."""

    path: Path = Path('numbers.mat')
    fault: str = ''

    def read(self):
        if self.fault == 'crash':
            os._exit(139)
        if self.fault == 'hang':
            time.sleep(60)
        if self.fault == 'error':
            raise ValueError('numbers.mat: no numbers')
        return [1, 2, 3]


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        ('crash', 'numbers.mat cannot be read: it crashes the library'),
        ('hang', 'numbers.mat cannot be read: no end after 0.3 seconds'),
        ('error', 'numbers.mat: no numbers'),
    ],
)
def test_a_damaged_file_is_an_error_and_the_next_one_is_read(fault, message):
    with IsolatedReader(seconds=0.3) as reader:
        assert reader.read(Numbers()) == [1, 2, 3]
        for _ in range(2):
            with pytest.raises(ValueError, match=message):
                reader.read(Numbers(fault=fault))
        reader.seconds = 20
        assert reader.read(Numbers()) == [1, 2, 3]
