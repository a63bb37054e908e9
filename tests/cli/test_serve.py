"""The server as a process: it says where it is, answers, and ends when told to."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(serving, how):
    process, url = serving
    with urllib.request.urlopen(f"{url}/health") as response:
        assert json.load(response) == {"status": "ok"}
    process.send_signal(how)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "stopped\n")


@pytest.mark.slow
def test_who_is_still_sending_when_it_ends_is_told(serving):
    process, url = serving
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
        time.sleep(0.3)
        process.terminate()
        answer = slow.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 503")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "stopping"
    _, err = process.communicate()
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_port_in_use_is_told_at_once(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli._run(["serve", "--port", port]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: port {port} of 127.0.0.1 is in use")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", ""], "--host is empty"),
        (["--allow-host", ""], "a name such as shop.example"),
        (["--allow-host", "http://shop.example"], "without http://"),
        (["--allow-host", "shop.example:8000"], "and port"),
        (["--trusted-proxy", ""], "an address such as"),
        (["--trusted-proxy", "shop.example"], "an address such as"),
        (["--trusted-proxy", "10.0.0.5:80"], "an address such as"),
    ],
)
def test_an_address_that_would_never_do_is_told(capsys, words, says):
    assert cli._run(["serve", "--port", "0", *words]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_a_line_of_the_log_commands_no_terminal():
    from hangtag.cli.serve import _Printable

    record = logging.LogRecord("hangtag.serve", logging.ERROR, "", 0, "failed: %s", ("\x1b[2Jgone\r\u202e",), None)
    assert _Printable().format(record) == "failed: \\x1b[2Jgone\\r\\u202e"
