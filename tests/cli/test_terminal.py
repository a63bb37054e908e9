"""What a terminal is sent, by its name and the environment."""

import os
import re
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")
ESCAPE = b"\x1b"


def typed(*words, columns="80", **environment):
    """All that `hangtag WORDS` sends to a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": columns, **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "hangtag", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    ) as process:
        os.close(theirs)
        sent = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            sent += block
    os.close(ours)
    assert process.returncode is not None
    return sent


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("list", "recipes"),
        ("trian",),
        ("train", "lenet5", "--set", "epoch=3"),
        pytest.param(("doctor",), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_a_dumb_terminal_gets_plain_text(words):
    sent = typed(*words, TERM="dumb")
    assert sent
    assert ESCAPE not in sent


def test_another_gets_colours_unless_they_are_declined():
    colours = re.compile(rb"\x1b\[[0-9;]*3[0-7]")
    for words in (("trian",), ("list", "recipes")):
        assert colours.search(typed(*words, TERM="xterm-256color"))
        assert not colours.search(typed(*words, TERM="xterm-256color", NO_COLOR="1"))


@pytest.mark.parametrize("columns", ["40", "80"])
def test_names_are_whole_however_narrow_it_is(columns):
    lines = typed("list", "recipes", columns=columns, TERM="dumb").decode().splitlines()
    assert {"gradient_boosting", "best_single", "quarter_hour"} <= {word for line in lines for word in line.split()}
    assert not any("…" in line for line in lines)


def test_each_sentence_at_the_end_of_the_help_has_a_line():
    lines = [line.strip() for line in typed("--help", TERM="dumb").decode().splitlines()]
    assert "Start with: hangtag demo" in lines
    assert "Commands have help of their own: hangtag train --help" in lines


def test_reasons_are_whole_however_narrow_it_is(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"GIF89a")
    sent = typed("recognise", str(tmp_path / "a.jpg"), columns="60", TERM="xterm", NO_COLOR="1").decode()
    sent = re.sub("\x1b[^m]*m", "", sent)
    assert "…" not in sent.split("✗")[1]
    assert "but a GIF: save it as one of these" in " ".join(sent.split("✗")[1].split())
    assert max(map(len, sent.splitlines())) <= 60


def test_a_dumb_terminal_gets_no_bar_over_many_images(tmp_path):
    for i in range(50):
        (tmp_path / f"{i}.jpg").write_bytes(b"GIF89a")
    assert ESCAPE not in typed("recognise", str(tmp_path), TERM="dumb")


@pytest.mark.slow
def test_without_colours_no_pictures_are_drawn_in_blocks(tmp_path):
    words = ("data", "show", "--data", "drawn", "--out", str(tmp_path / "x.png"))
    blocks = "▀".encode(), "▄".encode()
    assert not any(block in typed(*words, TERM="xterm-256color", NO_COLOR="1") for block in blocks)
