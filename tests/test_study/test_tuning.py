import pytest

from sealpose.study.spec import Tuning
from sealpose.study.tuning import Candidate, choose, record

PLAIN = Candidate({}, {'MPJPE': [50.0, 50.0], 'LSE': [5.0, 5.0]})
WEAK = Candidate({'w': 1}, {'MPJPE': [50.1, 50.1], 'LSE': [4.0, 4.4]})
STRONG = Candidate({'w': 2}, {'MPJPE': [50.0, 50.8], 'LSE': [3.0, 3.0]})
FATAL = Candidate({'w': 3}, {'MPJPE': [99.0, 99.0], 'LSE': [0.0, 0.0]})
FAILED = Candidate({'w': 4})
ALL = [FAILED, WEAK, STRONG, FATAL]


def tuning(**entries):
    return Tuning(seeds=(100, 101), measure='LSE', **entries)


def test_the_best_mean_is_taken():
    assert choose([FAILED, WEAK, STRONG], tuning()).candidate is STRONG
    assert choose(ALL, tuning(), PLAIN).candidate is FATAL


def test_only_among_those_that_are_allowed():
    assert choose(ALL, tuning(allow=dict(MPJPE=0.5)), PLAIN).candidate is STRONG
    assert choose(ALL, tuning(allow=dict(MPJPE=0.3)), PLAIN).candidate is WEAK
    none = choose(ALL, tuning(allow=dict(MPJPE=0.05)), PLAIN)
    assert none.candidate is WEAK
    assert 'by 0.05' in none.remark


def test_larger_is_better_where_it_is():
    low, high = (Candidate({'w': v}, {'PCK-14': [v]}) for v in (80.0, 90.0))
    allow = Tuning(seeds=(1,), measure='PCK-14', allow={'PCK-14': 1})
    assert choose([low, high], allow).candidate is high
    assert choose([low, high], allow, high).candidate is high


def test_all_failed():
    with pytest.raises(ValueError, match='every candidate failed'):
        choose([FAILED], tuning())


def test_everything_that_was_tried_is_recorded():
    kept = tuning(allow=dict(MPJPE=0.3))
    found = record(ALL, kept, choose(ALL, kept, PLAIN))
    assert [entry['chosen'] for entry in found['tried']] == [False, True, False, False]
    assert [entry['failed'] for entry in found['tried']] == [True, False, False, False]
    assert found['tried'][2]['mean'] == {'MPJPE': pytest.approx(50.4), 'LSE': 3.0}
    assert found['seeds'] == [100, 101]
    assert found['allow'] == {'MPJPE': 0.3}
