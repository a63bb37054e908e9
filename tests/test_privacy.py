"""Nothing leaves the machine or marks it: what each command writes below a fresh home, and whom it tries to reach."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

SMALL = "from hangtag.data.sets import drawn; drawn.TRAINING_PICTURES = 200; drawn.TEST_PICTURES = 50\n"
TRAIN = "['train', 'lenet5', '--data', 'drawn', '--epochs', '1', '--out', 'run', '--json']"
# each loads what it says, and does its work to the end
STARTS = {
    "import_hangtag": "import hangtag, onnxruntime",
    "import_of_the_recogniser": "import hangtag.predict.recogniser, hangtag.predict.onnx",
    "python_api": "import hangtag; assert hangtag.load().recognise('x.png').label",
    "recognise": "from hangtag.cli import _run; assert _run(['recognise', 'x.png']) == 0",
    "openvino": "from hangtag.cli import _run; assert _run(['recognise', 'x.png', '--engine', 'openvino']) == 0",
    "train_and_report": f"{SMALL}from hangtag.cli import _run\nassert _run({TRAIN}) == 0\n"
    "assert _run(['report', 'run', '--data', 'drawn', '--out', 'report.html']) == 0",
}
SLOW = {"openvino", "train_and_report"}


@pytest.fixture
def fresh(tmp_path):
    """A home nobody has used, and a folder beside it to work in, with a photo in it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    Image.fromarray(np.eye(30, dtype=np.uint8) * 200).save(tmp_path / "work" / "x.png")
    return tmp_path


def watched(fresh, *command):
    """The command with a fresh home, under strace where it is installed and allowed to look."""
    hidden = ("XDG_", "ORT_", "HANGTAG_CACHE", "DO_NOT_TRACK", "CI")
    environ = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    trace = fresh / "trace"
    strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(trace), "-e", "trace=connect,openat,sendto"]
    works = shutil.which("strace") and not subprocess.run([*strace, "true"], capture_output=True).returncode
    return subprocess.Popen(
        [*(strace if works else []), *command],
        cwd=fresh / "work",
        env={**environ, "HOME": str(fresh / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check(fresh):
    home = fresh / "home"
    caches = (home / ".cache/hangtag", home / ".cache/matplotlib")  # compiled loops; a list of fonts, by captum
    left = [path for path in home.rglob("*") if path.is_file() and not any(map(path.is_relative_to, caches))]
    assert not left, left
    trace = fresh / "trace"
    lines = trace.read_text(errors="replace").splitlines() if trace.exists() else []
    looked_up = [line for line in lines if re.search(r"resolv\.conf|machine-id|/etc/hosts", line)]
    assert not looked_up, looked_up
    abroad = [
        line for line in lines if re.search(r"sa_family=AF_INET6?\b", line) and not re.search(r'"(127\.|::1)', line)
    ]
    assert not abroad, abroad


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in STARTS])
def test_nothing_is_marked_or_reached(name, fresh):
    if name in SLOW:
        for module in ("openvino",) if name == "openvino" else ("torch", "jinja2", "captum"):
            pytest.importorskip(module)
    process = watched(fresh, sys.executable, "-c", STARTS[name])
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    check(fresh)


@pytest.mark.slow
def test_serving_reaches_nobody(fresh):
    pytest.importorskip("uvicorn")
    ask = """
import http.client, os, re, signal, subprocess, sys
serve = [sys.executable, "-m", "hangtag", "serve", "--port", "0"]
server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
port = next(int(found[1]) for line in server.stdout if (found := re.search(r"127\\.0\\.0\\.1:(\\d+)", line)))
connection = http.client.HTTPConnection("127.0.0.1", port)
connection.request("POST", "/recognise", open("x.png", "rb").read())
assert connection.getresponse().status == 200
server.send_signal(signal.SIGTERM)
server.communicate()
"""
    process = watched(fresh, sys.executable, "-c", ask)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    check(fresh)


def test_children_inherit_it():
    """A worker of a study, or a decoder, has what its parent has."""
    code = "import hangtag, subprocess, sys; subprocess.run([sys.executable, '-c', 'import os; print(os.environ)'])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'ORT_DISABLE_TELEMETRY': '1'" in shown
    assert "'DO_NOT_TRACK': '1'" in shown
