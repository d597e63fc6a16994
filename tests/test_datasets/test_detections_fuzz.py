"""Damaged files of detections: each is read or refused with one clear error."""

import os

from sealpose.datasets.readers.detections import read_detections
from sealpose.datasets.tracks import fill_track, split_tracks
from tests.test_datasets.json_mutations import mutated_json, outcome
from tests.test_datasets.test_detections import FORMS, person

FILES = int(os.environ.get('SEALPOSE_FUZZ_FILES', '600'))


def read_tracks(path):
    """All that a data set does with the file before it maps joints."""
    detections = read_detections(path)
    try:
        tracks = split_tracks(detections).values()
        return [fill_track(track, 0.3, 'interpolate') for track in tracks]
    except ValueError as error:
        # Tracks are told apart without the file at hand.
        raise ValueError(f'{path}: {error}') from None


def test_a_mutated_file_is_read_or_refused(tmp_path):
    path = tmp_path / 'mutated.json'
    originals = [form(person().round(1)[:, :17]) for form in FORMS]
    ends = set()
    for _, text in mutated_json(originals, FILES, seed=1):
        path.write_text(text, encoding='utf-8')
        ends.add(outcome(path, read_tracks))
    assert ends == {'read', 'refused'}
