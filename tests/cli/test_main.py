"""What is true of the command line as a whole and of no command alone; see tests/test_every_command.py too."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hangtag import cli
from hangtag.core.errors import HangtagError


@pytest.fixture
def failing(monkeypatch, capsys):
    """failing(error, words...) -> status, out, err of a command that fails so."""

    def failing(error: BaseException, *words: str) -> tuple[int, str, str]:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def command(as_json: bool) -> None:
            raise error

        monkeypatch.setattr(cli._Verbs, "get_command", lambda self, context, name: command)
        status = cli._run(["doctor", *words])
        return status, *capsys.readouterr()

    return failing


def test_an_error_is_one_line_and_its_own_status(failing):
    status, out, err = failing(HangtagError("run_busy", "somebody is here"))
    assert (status, out, err) == (6, "", "error: somebody is here\n")


def test_with_json_the_error_is_json_too(failing):
    status, out, _ = failing(HangtagError("bundle_damaged", "it is\nbroken"), "--json")
    assert status == 5
    assert json.loads(out) == {"error": {"code": "bundle_damaged", "message": "it is\nbroken"}}


@pytest.mark.parametrize(
    ("interrupt", "line"), [(KeyboardInterrupt(), "stopped"), (KeyboardInterrupt("stopped, saved"), "stopped, saved")]
)
def test_ctrl_c_is_a_line_and_130(failing, interrupt, line):
    status, out, err = failing(interrupt, "--json")
    assert status == 130
    assert err.strip() == line
    assert json.loads(out) == {"error": {"code": "interrupted", "message": line}}


def test_a_defect_is_a_line_that_says_how_to_see_more(failing, monkeypatch):
    monkeypatch.delenv("HANGTAG_TRACEBACK", raising=False)
    status, _, err = failing(ZeroDivisionError("by\nzero"))
    assert status == 70
    assert err.startswith("error: unexpected ZeroDivisionError: by zero")
    assert "HANGTAG_TRACEBACK=1" in err
    monkeypatch.setenv("HANGTAG_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError("by zero"))


def test_an_exit_keeps_its_number(failing):
    assert failing(click.exceptions.Exit(3))[0] == 3
    with pytest.raises(SystemExit):
        failing(SystemExit(4))


def test_a_mistyped_command_suggests_the_nearest(capsys):
    for typed, meant in (("recognis", "recognise"), ("predct", "predict"), ("distil1", "distil"), ("trian", "train")):
        assert cli._run([typed]) == 2
        assert f"Did you mean '{meant}'?" in capsys.readouterr().err
    assert cli._run(["data", "fetc"]) == 2
    assert "Did you mean 'fetch'?" in capsys.readouterr().err


def test_what_is_near_no_command_gets_those_that_are_listed(capsys):
    assert cli._run(["zzzzzz"]) == 2
    said = capsys.readouterr().err
    assert "recognise" in said
    assert "recognize" not in said


def test_alone_it_shows_what_there_is(capsys):
    for arguments in ([], ["data"]):
        assert cli._run(arguments) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        assert len(shown.out.splitlines()) > 8
        assert "Commands" in shown.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
@pytest.mark.parametrize("words", [["list", "metrics"], ["list", "metrics", "--json"]])
def test_output_that_does_not_fit_the_disk_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        program = [sys.executable, "-P", "-m", "hangtag", *words]
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == 7
    assert done.stderr.startswith("error: no space left")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (errno.ENOSPC, "storage_full", 7),
        (errno.EDQUOT, "storage_full", 7),
        (errno.EACCES, "storage_read_only", 7),
        (errno.EROFS, "storage_read_only", 7),
        (errno.EIO, "storage_failed", 7),
        (errno.ENAMETOOLONG, "storage_failed", 7),
        (errno.EMFILE, "storage_failed", 7),
    ],
)
@pytest.mark.parametrize("name", [None, "some/file\x1b"])
def test_what_a_file_system_says_is_one_line_that_names_the_file(failing, number, code, status, name):
    error = OSError(number, os.strerror(number), name) if name else OSError(number, os.strerror(number))
    found, out, err = failing(error, "--json")
    assert (found, json.loads(out)["error"]["code"]) == (status, code)
    assert len(err.splitlines()) == 1
    assert "None" not in err
    assert "unexpected" not in err
    assert ("some/file\\x1b" in err) == bool(name)


def test_an_error_that_is_no_file_systems_is_still_unexpected(failing):
    assert failing(OSError("no number"))[0] == 70


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_disk_behind_both_streams_still_ends_with_its_status():
    with Path("/dev/full").open("w") as full:
        program = [sys.executable, "-P", "-m", "hangtag", "list", "metrics"]
        assert subprocess.run(program, stdout=full, stderr=full, check=False).returncode == 7


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_closed_standard_output_is_no_defect():
    command = f"{sys.executable} -m hangtag list recipes >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
