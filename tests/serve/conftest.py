"""A real server on a free port, and a way to ask it."""

import http.client
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from hangtag import predict
from hangtag.data.sets import drawn
from hangtag.serve import app, guard, server


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """A busy machine is no slow client: who is let go for his slowness, is so in the tests that say so alone."""
    for module, name in ((app, "RECEIVE_S"), (server, "HEADERS_S"), (server, "SLOW_READ_S"), (guard, "LET_RUN_S")):
        monkeypatch.setattr(module, name, 600.0)


@pytest.fixture(scope="session")
def recogniser():
    return predict.load("default", threads=1)


@pytest.fixture(scope="session")
def port(recogniser):
    """The port of a server that serves until the tests end."""
    listening, ready = server.listen("127.0.0.1", 0), threading.Event()
    port = listening.getsockname()[1]
    thread = threading.Thread(
        target=server.run, args=(recogniser, listening, ("shop.example",), ready.set), daemon=True
    )
    thread.start()
    assert ready.wait()
    return port


@pytest.fixture
def ask(port):
    """ask(method, path, body, headers) -> status, headers, JSON or bytes."""

    def ask(method="POST", path="/recognise", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = response.headers["content-type"] == "application/json"
        return response.status, response.headers, json.loads(content) if is_json else content

    return ask


@pytest.fixture(scope="session")
def pictures():
    """Drawn pictures: (N, 28, 28) and each one's PNG file."""

    images = drawn.pictures(24, seed=5).images

    def png(pixels):
        file = io.BytesIO()
        Image.fromarray(np.asarray(pixels)).save(file, "PNG")
        return file.getvalue()

    return images, [png(pixels) for pixels in images]
