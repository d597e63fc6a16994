"""Logs that cannot be written cost no run, and come back when there is room."""

import errno
import json
import os

import pytest

from sealpose.engine import patient_file
from sealpose.engine.patient_file import PatientFile

from .runs import At, train

SEAL = 'configs/seal/videopose_sample.py'


@pytest.fixture
def disk(monkeypatch):
    """A disk that is full while ``disk['full']`` says so."""
    write = patient_file._write
    state = {'full': False}

    def write_half(file, content):
        if not state['full']:
            return write(file, content)
        os.write(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(patient_file, '_write', write_half)
    return state


class TestPatientFile:
    @pytest.fixture
    def file(self, tmp_path):
        self.told = []
        return PatientFile(tmp_path / 'log', self.told.append)

    def test_lines_wait_until_there_is_room(self, file, disk, tmp_path):
        file.append('one')
        disk['full'] = True
        file.append('two')
        file.append('three')
        # Half of a line that was written is taken back.
        assert (tmp_path / 'log').read_text() == 'one\n'
        disk['full'] = False
        file.append('four')
        assert (tmp_path / 'log').read_text() == 'one\ntwo\nthree\nfour\n'
        assert len(self.told) == 2
        assert 'log cannot be written: [Errno 28] No space left' in self.told[0]
        assert self.told[1].endswith('can be written again; 3 lines had waited')

    def test_it_says_what_is_lost(self, file, disk):
        disk['full'] = True
        file.append('one')
        file.append('two')
        file.close()
        assert self.told[1].startswith('2 lines of')
        disk['full'] = False
        file.close()
        assert self.told[2].endswith('2 lines had waited')

    def test_what_is_told_may_go_to_the_file_itself(self, tmp_path, disk):
        file = PatientFile(tmp_path / 'log', lambda text: file.append(text[-5:]))
        disk['full'] = True
        file.append('one')
        disk['full'] = False
        file.append('two')
        assert (tmp_path / 'log').read_text() == 'one\n room\ntwo\naited\n'

    @pytest.mark.skipif(not os.path.exists('/dev/full'), reason='Linux alone has it')
    def test_a_device_without_room(self, file, tmp_path):
        (tmp_path / 'log').symlink_to('/dev/full')
        file.append('one')
        (tmp_path / 'log').unlink()
        file.append('two')
        assert (tmp_path / 'log').read_text() == 'one\ntwo\n'

    def test_a_folder_that_is_gone(self, tmp_path):
        told = []
        PatientFile(tmp_path / 'gone/log', told.append).append('one')
        assert 'No such file' in told[0]


def iterations(path):
    return [json.loads(line).get('iter') for line in path.read_text().splitlines()]


def test_a_run_outlives_a_full_disk_and_loses_no_line(tiny_cfg, tmp_path, disk, capsys):
    def cfg(work_dir):
        cfg = tiny_cfg(SEAL, work_dir, **{'train_cfg.max_epochs': 4})
        cfg.default_hooks.logger.interval = 1
        cfg.log_level = 'INFO'
        return cfg

    train(cfg('straight'))
    fill, empty = (At(n, lambda full=full: disk.update(full=full))
                   for n, full in ((2, True), (6, False)))  # fmt: skip
    train(cfg('run'), fill, empty)
    logged = {}
    for work_dir in ('straight', 'run'):
        (folder,) = (tmp_path / work_dir).glob('2*')
        (scalars,) = folder.glob('vis_data/scalars.json')
        (text,) = folder.glob('*.log')
        logged[work_dir] = iterations(scalars), text.read_text()
    assert logged['run'][0] == logged['straight'][0]
    lines = logged['run'][1].splitlines()
    assert [sum(f'Epoch(train) [{epoch}]' in line for line in lines)
            for epoch in (1, 2, 3, 4)] == [2, 2, 2, 2]  # fmt: skip
    # One warning and one end of it for each of the three files.
    assert sum('cannot be written' in line for line in lines) == 3
    assert sum('can be written again' in line for line in lines) == 3
    assert sum('No space left' in line for line in lines) == 3
    assert 'Logging error' not in capsys.readouterr().err
