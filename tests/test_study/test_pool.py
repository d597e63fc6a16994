from sealpose.study.pool import Pool
from sealpose.study.run import RunRequest


def request(folder, imports):
    return RunRequest(
        label=imports,
        arm='arm',
        seed=0,
        folder=folder / imports,
        config=dict(custom_imports=dict(imports=[imports])),
        split='test',
        measures=('MPJPE',),
        training_hash='0',
        result_hash='1',
    )


def test_a_process_that_dies_is_replaced(tmp_path):
    pool = Pool(jobs=1)
    try:
        pool.submit(request(tmp_path, 'tests.test_study.crash'))
        assert not pool.has_room
        ((_, error),) = pool.wait()
        assert 'ended with the code 7' in error
        pool.submit(request(tmp_path, 'no_such_module'))
        ((run, error),) = pool.wait()
    finally:
        pool.close()
    assert error.startswith('ImportError')
    assert 'Traceback' in (run.folder / 'log.txt').read_text()
    assert pool.is_empty
