"""The verdict of the soak benchmark: what grows is found, what does not is let be."""

import importlib
from pathlib import Path

import pytest

# What is measured, where it is judged under another name.
JUDGED = {'log': 'log_rate', 'step_processor': 'step', 'epoch_end': 'end'}
BENCHMARKS = Path(__file__).parents[2] / 'benchmarks'


@pytest.fixture
def soak(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module('soak')


def samples(soak, count=200, **an_hour):
    """An hour of samples; everything is as at first but what grows ``an_hour``."""
    start = dict(
        memory=500.0,
        heap=300.0,
        blocks=900.0,
        descriptors=7,
        threads=1,
        files=20.0,
        step_processor=15.0,
        step_wall=30.0,
        epoch_end=0.5,
        reference=5.0,
    )
    return [
        soak.Sample(
            hours=i / count,
            iteration=100 * i + 1,
            log=3.0 * i + an_hour.get('log', 0) * (i / count) ** 2,
            # What happens beside it shakes the figures a little.
            **{
                key: value * (1 + 0.001 * (-1) ** (i // 3))
                + an_hour.get(key, 0) * i / count
                for key, value in start.items()
                if key not in ('descriptors', 'threads')
            },
            **{
                key: start[key] + int(an_hour.get(key, 0) * i / count)
                for key in ('descriptors', 'threads')
            },
        )
        for i in range(count)
    ]


def growing(soak, found):
    return {row['quantity'] for row in found if row['verdict'] == 'grows'}


def test_a_steady_run_holds(soak):
    found = soak.summarize(samples(soak))
    assert growing(soak, found) == set()
    assert {row['verdict'] for row in found} == {'holds', ''}
    log = next(row for row in found if row['quantity'].startswith('log'))
    assert log['first quarter'] == pytest.approx(30)


@pytest.mark.parametrize(
    ('key', 'an_hour', 'is_too_much'),
    [
        ('memory', 20, True),
        ('memory', 5, False),
        ('heap', 20, True),
        ('blocks', 90, True),
        ('epoch_end', 0.2, True),
        ('step_processor', 4, True),
        ('step_processor', 1, False),
        ('step_wall', 100, False),
        ('descriptors', 5, True),
        ('threads', 5, True),
        ('files', 10, True),
        ('log', 600, True),
    ],
)
def test_growth_is_found(soak, key, an_hour, is_too_much):
    found = soak.summarize(samples(soak, **{key: an_hour}))
    name = soak.LIMITS[JUDGED.get(key, key)].name
    assert growing(soak, found) == ({name} if is_too_much else set())


def test_the_slope_is_that_of_the_line(soak):
    row = soak.summarize(samples(soak, memory=20))[0]
    assert row['quantity'] == 'resident memory, MB'
    assert row['an hour'] == pytest.approx(20, abs=0.5)
    assert abs(row['an hour'] - 20) < row['± (95 %)'] < 1


def test_too_few_samples_are_refused(soak):
    with pytest.raises(ValueError, match=r'too few, 40 are needed: train for more'):
        soak.summarize(samples(soak, count=30))


def test_a_busier_machine_is_no_growth(soak):
    found = soak.summarize(samples(soak, step_processor=9, epoch_end=0.3, reference=3))
    assert growing(soak, found) == set()


def test_what_malloc_has_handed_out_is_seen(soak):
    before = soak.heap_bytes()
    held = bytearray(50_000_000)
    assert soak.heap_bytes() - before == pytest.approx(len(held), rel=0.01)
