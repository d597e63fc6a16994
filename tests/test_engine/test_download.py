"""Checkpoints from the web: fetched once, whole, and read as safely as local ones."""

import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from sealpose.engine import read_checkpoint
from sealpose.engine.download import download


@pytest.fixture
def web(tmp_path, monkeypatch):
    """Serve what the test puts into the returned dict; returns also its address."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'home'))
    pages, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = pages.get(self.path)
            self.send_response(200 if content is not None else 404)
            length = len(content or b'')
            # A connection that breaks: less comes than was announced.
            broken = self.path.startswith('/broken')
            self.send_header('Content-Length', str(length + 10 * broken))
            self.end_headers()
            self.wfile.write(content or b'')

        def log_message(self, *args):
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield pages, f'http://127.0.0.1:{server.server_port}', asked
    server.shutdown()
    server.server_close()


def serialised(content, path):
    torch.save(content, path)
    return path.read_bytes()


def test_a_checkpoint_is_fetched_once(web, tmp_path):
    pages, address, asked = web
    content = dict(state_dict=dict(a=torch.ones(2)), meta=dict(config='1/0', epoch=3))
    data = serialised(content, tmp_path / 'x.pth')
    name = f'/net-{hashlib.sha256(data).hexdigest()[:8]}.pth'
    pages[name] = data
    for _ in range(2):
        checkpoint = read_checkpoint(address + name)
        assert torch.equal(checkpoint['state_dict']['a'], torch.ones(2))
    # The same way for mmengine, without the key that it would execute.
    assert CheckpointLoader.load_checkpoint(address + name)['meta'] == {'epoch': 3}
    assert asked == [name]


def test_files_of_one_name_from_two_places_are_two(web, tmp_path):
    pages, address, _ = web
    for number in (1, 2):
        data = serialised(dict(number=number), tmp_path / 'x.pth')
        pages[f'/{number}/net.pth'] = data
    numbers = [read_checkpoint(f'{address}/{n}/net.pth')['number'] for n in (1, 2)]
    assert numbers == [1, 2]


def test_a_malicious_checkpoint_from_the_web_runs_nothing(web, tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'hacked'),)

    pages, address, _ = web
    pages['/net.pth'] = serialised(dict(state_dict=Malicious()), tmp_path / 'x.pth')
    for load in (read_checkpoint, CheckpointLoader.load_checkpoint):
        with pytest.raises(ValueError, match=r'not a readable checkpoint.*mkdir'):
            load(f'{address}/net.pth')
    assert not (tmp_path / 'hacked').exists()


@pytest.mark.parametrize(
    ('name', 'error', 'message'),
    [
        ('/gone.pth', ConnectionError, r'gone\.pth could not be downloaded: .*404'),
        ('/broken.pth', ConnectionError, r'only 7 of its 17 bytes arrived'),
        ('/net-0123456789.pth', ValueError, r'SHA-256 begins \w{10}, not 0123456789'),
    ],
)
def test_what_does_not_arrive_whole_is_not_kept(web, tmp_path, name, error, message):
    pages, address, asked = web
    if 'gone' not in name:
        pages[name] = b'content'
    for _ in range(2):
        with pytest.raises(error, match=message):
            download(address + name)
    assert len(asked) == 2
    assert list((tmp_path / 'home').rglob('*.pth*')) == []


def test_nobody_answers(web):
    with pytest.raises(ConnectionError, match='could not be downloaded'):
        download('http://127.0.0.1:9/net.pth')
