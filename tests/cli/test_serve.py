"""The server as a process: it says where it is, answers, and ends when told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from hangtag import cli

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture
def serving():
    """The process and the address it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hangtag", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_it_cleanly(serving):
    process, url = serving
    with urllib.request.urlopen(f"{url}/health", timeout=10) as response:
        assert json.load(response) == {"status": "ok"}
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert err == "stopped\n"


def test_sigterm_ends_it_without_a_traceback(serving):
    process, _ = serving
    process.terminate()
    _, err = process.communicate(timeout=20)
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in err


def test_a_port_in_use_is_told_at_once(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli._run(["serve", "--port", port]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: port {port} of 127.0.0.1 is in use")
    assert err.count("\n") == 1
