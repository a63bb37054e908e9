"""Faults A4-A7 and A10: nothing a mirror does puts a bad file in place, and the next mirror is always tried."""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.data import download
from hangtag.data.download import Patience, SafeRedirects, fetch
from hangtag.data.download import mirrors as named_mirrors
from hangtag.data.published import check

PATIENT = Patience(read_s=600, total_s=600, rounds=2, pause_s=0.01)  # a busy machine is no slow mirror


class Insisting(threading.Timer):
    """Hangs up again and again: a busy machine may have connected later than the first time."""

    def run(self):
        while not self.finished.wait(self.interval):
            self.function(*self.args, **self.kwargs)


@pytest.fixture
def get(small, mirrors, tmp_path, monkeypatch):
    """Fetch the first of the small files from these mirrors, with little patience for those slow on purpose."""
    file, real = small.pictures, download._get

    def hurried(url, size, progress, patience):
        behaviour = mirrors.behaviours.get(url.rpartition("/")[0] + "/", "")
        patience = replace(patience, read_s=0.2) if behaviour == "stalls" else patience
        patience = replace(patience, total_s=0.4) if behaviour.startswith("dribbles") else patience
        return real(url, size, progress, patience)

    monkeypatch.setattr(download, "_get", hurried)
    monkeypatch.setattr(threading, "Timer", Insisting)

    def fetched(*mirrors: str, progress=lambda *_: None) -> bytes:
        path = tmp_path / file.name
        fetch(
            path,
            file.bytes,
            mirrors,
            lambda content: check(small.published, file, content, file.name),
            progress,
            PATIENT,
        )
        assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
        return path.read_bytes()

    return fetched


def test_fetches_the_file_and_tells_how_far_it_is(get, mirrors, small):
    told: list[tuple[str, int, int]] = []
    content = get(mirrors.start("good"), progress=lambda *args: told.append(args))
    assert content == small.content[small.pictures.name]
    assert told[-1] == (small.pictures.name, small.pictures.bytes, small.pictures.bytes)


FAULTS = {
    "altered": "data_hash",
    "portal": "data_not_gzip",
    "short": "data_truncated",
    "endless": "data_hash",
    "cut_off": "data_truncated",
    "missing": "data_offline",
    "broken": "data_offline",
    "overloaded": "data_offline",
    "loop": "data_offline",
    "same_place": "data_offline",
    "no_http": "data_offline",
    "hangs_up": "data_offline",
    "stalls": "data_offline",
    "dribbles_body": "data_offline",
    "dribbles_headers": "data_offline",
    "dribbles_chunk_sizes": "data_offline",
    "dribbles_trailers": "data_offline",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_goes_on_to_the_next_mirror(get, mirrors, small, fault):
    assert get(mirrors.start(fault), mirrors.start("good")) == small.content[small.pictures.name]


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "code"), FAULTS.items())
def test_says_what_each_mirror_did_and_leaves_nothing(get, mirrors, tmp_path, fault, code):
    urls = mirrors.start(fault), mirrors.start(fault)
    with pytest.raises(HangtagError) as caught:
        get(*urls)
    assert caught.value.code == code
    assert all(url in caught.value.message for url in urls)
    assert "--data" in caught.value.message
    assert "HANGTAG_DATA" in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert "\n" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_says_so_where_nobody_answers(get):
    with pytest.raises(HangtagError, match="refused") as caught:
        get("http://127.0.0.1:1/")
    assert caught.value.code == "data_offline"


def test_says_so_where_a_name_is_unknown_or_no_address(get):
    with pytest.raises(HangtagError) as caught:
        get("https://mirror.invalid/", "nonsense", "ftp://127.0.0.1:1/", "https://[::bad/")
    assert caught.value.code == "data_offline"


def test_says_so_where_there_is_no_mirror(get):
    with pytest.raises(HangtagError, match="no mirror"):
        get()


def test_tells_a_login_page_by_name(get, mirrors):
    with pytest.raises(HangtagError, match="login page"):
        get(mirrors.start("portal"))


def test_asks_again_where_that_may_help_and_only_there(get, mirrors):
    for fault, times in (("broken", 2), ("missing", 1), ("altered", 1)):
        with pytest.raises(HangtagError):
            get(mirrors.start(fault))
        assert len(mirrors.servers[-1].asked) == times, fault


@pytest.mark.parametrize("fault", [name for name in FAULTS if name.startswith("dribbles")])
def test_a_server_that_dribbles_without_end_is_called_slow_whatever_it_dribbles(get, mirrors, fault):
    with pytest.raises(HangtagError, match="too slow" if fault != "dribbles_headers" else "too slow|hangs up"):
        get(mirrors.start(fault))


def test_never_leaves_https_by_a_redirect():
    request = urllib.request.Request("https://example.org/a")
    follow = SafeRedirects().redirect_request
    headers = http.client.HTTPMessage()
    for url in ("http://example.org/a", "HTTP://example.org/a", "ftp://example.org/a"):
        with pytest.raises(urllib.error.URLError, match="redirects from https"):
            follow(request, None, 302, "Found", headers, url)  # type: ignore[arg-type]
    assert follow(request, None, 302, "Found", headers, "https://example.org/b") is not None  # type: ignore[arg-type]


def test_a_full_disk_ends_it_with_no_file(get, mirrors, monkeypatch, tmp_path):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HangtagError) as caught:
        get(mirrors.start("good"))
    assert caught.value.code == "storage_full"
    assert list(tmp_path.iterdir()) == []


def test_mirrors_can_be_named(monkeypatch):
    monkeypatch.setenv("HANGTAG_MIRRORS", " https://a/ ,, http://b/")
    assert named_mirrors(("https://c/",)) == ("https://a/", "http://b/")
    monkeypatch.delenv("HANGTAG_MIRRORS")
    assert named_mirrors(("https://c/",)) == ("https://c/",)


# One file from a server of its own, in a process that strace can spoil.
ALONE = """
import http.server, os, secrets, sys, threading
from dataclasses import replace
from pathlib import Path
from hangtag.core.errors import HangtagError
from hangtag.data import download
from hangtag.data.download import Patience, fetch

os.getpid = lambda: 1  # a temporary name that strace can be told beforehand
secrets.token_hex = lambda n: "00" * n

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"x" * 100_000)
    def log_message(self, *_): pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    url = f"http://127.0.0.1:{server.server_port}/"
    fetch(Path(sys.argv[1]), 100_000, (url,), lambda content: None, lambda *_: None)
except HangtagError as error:
    sys.exit(error.code)
"""


def _ptrace() -> bool:
    strace = shutil.which("strace")
    return bool(strace) and subprocess.run([strace, "-o", os.devnull, "true"], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _ptrace(), reason="needs strace and leave to trace")
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
@pytest.mark.parametrize(("fault", "ends"), [("ENOSPC", "storage_full"), ("EIO", "storage_failed"), ("KILL", "")])
def test_no_failing_system_call_leaves_a_final_file(tmp_path: Path, call: str, fault: str, ends: str):
    path = tmp_path / "folder" / "x.gz"
    path.parent.mkdir()
    temporary = path.with_name("x.gz.tmp.1.00000000")
    calls = "rename,renameat,renameat2" if call == "rename" else call
    inject = f"inject={calls}:{'signal=SIGKILL' if fault == 'KILL' else f'error={fault}'}"
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-P", str(temporary), "-e", inject]
    ran = subprocess.run(
        [*command, sys.executable, "-c", ALONE, str(path)], capture_output=True, check=False, text=True
    )
    assert not path.exists()
    if ends:
        assert ran.stderr.strip() == ends
        assert list(path.parent.iterdir()) == []
    else:
        assert ran.returncode == -signal.SIGKILL
        assert set(path.parent.iterdir()) <= {temporary}
