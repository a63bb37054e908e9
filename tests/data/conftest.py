"""A small published set, and a server that misbehaves on demand."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from hangtag.data import idx
from hangtag.data.published import Published, PublishedFile


@dataclass
class Small:
    """Four files like Fashion-MNIST's, of 40 and 20 pictures, and the Published that describes them."""

    published: Published
    content: dict[str, bytes]

    def write(self, folder: Path, **instead: bytes) -> Path:
        """Put the files into `folder`; `train_images=b"..."` puts other content in place of one."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.content.items():
            part, kind, *_ = name.split("-")
            (folder / name).write_bytes(instead.get(f"{part}_{kind}", content))
        return folder

    @property
    def pictures(self) -> PublishedFile:
        return self.published.training[0]


def make_small(name: str = "fashion-mnist", seed: int = 0) -> Small:
    rng = np.random.default_rng(seed)
    content, files = {}, []
    for part, count in (("train", 40), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        for kind, values in (
            ("images-idx3", rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)),
            ("labels-idx1", labels),
        ):
            packed = gzip.compress(idx.encode(values), mtime=0)
            file = PublishedFile(
                f"{part}-{kind}-ubyte.gz",
                len(packed),
                hashlib.sha256(packed).hexdigest(),
                hashlib.md5(packed).hexdigest(),
                values.shape,
            )
            content[file.name] = packed
            files.append(file)
    names = tuple("abcdefghij")
    return Small(Published(name, names, (files[0], files[1]), (files[2], files[3])), content)


@pytest.fixture(scope="session")
def small() -> Small:
    return make_small()


@pytest.fixture(scope="session")
def digits() -> Small:
    return make_small("mnist", seed=1)


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and nothing else named."""
    monkeypatch.delenv("HANGTAG_DATA", raising=False)
    monkeypatch.delenv("HANGTAG_MIRRORS", raising=False)
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    answer: Callable[[_Handler], None]
    asked: list[str]

    def handle_error(self, *_: object) -> None:  # clients hang up on purpose
        pass


@dataclass
class Mirrors:
    """Starts servers; each answers every request with one behaviour."""

    content: dict[str, bytes]
    servers: list[_Server] = field(default_factory=list)
    behaviours: dict[str, str] = field(default_factory=dict)  # by URL

    def start(self, behaviour: str) -> str:
        """The URL of a server that answers as the function of that name below does."""
        answer: Callable[[_Handler, bytes], None] = globals()[behaviour]
        server = _Server(("127.0.0.1", 0), _Handler)
        server.asked = []
        server.answer = lambda handler: answer(handler, self.content.get(handler.path.rpartition("/")[2], b"?"))
        threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
        self.servers.append(server)
        url = f"http://127.0.0.1:{server.server_port}/files/"
        self.behaviours[url] = behaviour
        return url


@pytest.fixture
def mirrors(small: Small) -> Iterator[Mirrors]:
    started = Mirrors(small.content)
    yield started
    for server in started.servers:
        server.shutdown()
        server.server_close()


def send(handler: _Handler, content: bytes, length: int | None = None, kind: str = "application/gzip") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)


def good(handler: _Handler, content: bytes) -> None:
    send(handler, content)


def altered(handler: _Handler, content: bytes) -> None:
    send(handler, content[:-30] + bytes([content[-30] ^ 1]) + content[-29:])


def portal(handler: _Handler, content: bytes) -> None:
    send(handler, b"<!DOCTYPE html><title>Log in</title>".ljust(len(content)), kind="application/gzip")


def missing(handler: _Handler, content: bytes) -> None:
    handler.send_error(404)


def broken(handler: _Handler, content: bytes) -> None:
    handler.send_error(500)


def overloaded(handler: _Handler, content: bytes) -> None:
    handler.send_error(503)


def cut_off(handler: _Handler, content: bytes) -> None:
    send(handler, content[: len(content) // 2], length=len(content))


def short(handler: _Handler, content: bytes) -> None:
    send(handler, content[: len(content) // 2])


def endless(handler: _Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100_000):
        handler.wfile.write(content)


def loop(handler: _Handler, content: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path + "x" if len(handler.path) < 500 else "/")
    handler.end_headers()


def same_place(handler: _Handler, content: bytes) -> None:
    handler.send_response(301)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def no_http(handler: _Handler, content: bytes) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def hangs_up(handler: _Handler, content: bytes) -> None:
    handler.close_connection = True


def dribbles_chunk_sizes(handler: _Handler, content: bytes) -> None:
    """A line that never ends, where the length of a chunk should stand."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"1;")
    while True:
        handler.wfile.write(b"a")
        time.sleep(0.05)


def dribbles_trailers(handler: _Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"0\r\n")
    while True:
        handler.wfile.write(b"x: y\r\n")
        time.sleep(0.05)


def stalls(handler: _Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:100])
    handler.wfile.flush()
    handler.rfile.read()  # until the client hangs up


def dribbles_body(handler: _Handler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for byte in itertools.chain(content[:-1], itertools.repeat(0)):  # never the last one
        handler.wfile.write(bytes([byte]))
        time.sleep(0.02)


def dribbles_headers(handler: _Handler, content: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)
