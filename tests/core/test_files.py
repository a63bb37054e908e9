import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.files import (
    NotRegularError,
    new_folder,
    owning,
    read_regular,
    sha256_of,
    sweep,
    temporary_neighbour,
    write_file,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(number: int):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_written_file_holds_what_was_given_and_nothing_lies_beside_it(tmp_path):
    write_file(tmp_path / "new/a", b"one")
    write_file(tmp_path / "new/a", b"two")
    assert (tmp_path / "new/a").read_bytes() == b"two"
    assert names(tmp_path / "new") == ["a"]
    assert sha256_of(tmp_path / "new/a").startswith("3fc4ccfe745870e2")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "storage_full"),
        (errno.EACCES, "storage_read_only"),
        (errno.EROFS, "storage_read_only"),
        (errno.EIO, "storage_failed"),
    ],
)
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_failed_write_leaves_the_old_file_and_says_the_cure(tmp_path, monkeypatch, owner, name, number, code):
    write_file(tmp_path / "a", b"old")
    monkeypatch.setattr(owner, name, failing(number))
    with pytest.raises(HangtagError) as caught:
        write_file(tmp_path / "a", b"new")
    assert caught.value.code == code
    assert str(tmp_path / "a") in caught.value.message
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def fill(folder: Path, content: str) -> None:
    with new_folder(folder) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner/x").write_text(content)


def test_a_new_folder_replaces_the_old_whole(tmp_path):
    fill(tmp_path / "a", "one")
    (tmp_path / "a/extra").write_text("gone after")
    fill(tmp_path / "a", "two")
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["inner"]
    assert (tmp_path / "a/inner/x").read_text() == "two"


def test_a_folder_that_fails_in_the_middle_never_was(tmp_path):
    fill(tmp_path / "a", "one")
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a") as temporary:
        (temporary / "x").write_text(str(1 / 0))
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a/inner/x").read_text() == "one"


@pytest.mark.parametrize("nth", [0, 1])
def test_whichever_rename_fails_the_old_folder_is_there(tmp_path, monkeypatch, nth):
    fill(tmp_path / "a", "one")
    real, calls = Path.rename, []

    def rename(self, target):
        calls.append(target)
        if len(calls) == nth + 1:
            raise OSError(errno.EIO, "failing disk")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(HangtagError) as caught:
        fill(tmp_path / "a", "two")
    assert caught.value.code == "storage_failed"
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a/inner/x").read_text() == "one"


def test_sweeps_what_the_dead_left_and_spares_the_living(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / f"a.tmp.{child.pid}.0123abcd").mkdir()
    (tmp_path / f"b.tmp.{child.pid}.0123abcd").write_text("x")
    mine = temporary_neighbour(tmp_path / "c")
    mine.write_text("x")
    (tmp_path / "notes.tmp.txt").write_text("somebody's own")
    if os.name != "nt":
        assert sweep(tmp_path) == 2
        assert names(tmp_path) == sorted([mine.name, "notes.tmp.txt"])
    sweep(tmp_path, owned=True)
    assert names(tmp_path) == ["notes.tmp.txt"]


def test_a_folder_has_one_owner_at_a_time(tmp_path):
    with (
        owning(tmp_path / "a", "run_busy", "taken"),
        pytest.raises(HangtagError, match="taken") as caught,
        owning(tmp_path / "a", "run_busy", "taken"),
    ):
        pass
    assert caught.value.code == "run_busy"
    with owning(tmp_path / "a", "run_busy", "taken"):  # freed
        pass


def test_an_owner_who_fails_lets_go(tmp_path):
    with pytest.raises(ValueError, match="x"), owning(tmp_path, "run_busy", "taken"):
        raise ValueError("x")
    with owning(tmp_path, "run_busy", "taken"):
        pass


def test_a_place_that_cannot_be_a_folder_is_a_line_for_the_user(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HangtagError, match="could not write") as caught, owning(tmp_path / "file/a", "run_busy", ""):
        pass
    assert caught.value.code == "storage_failed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user")
@pytest.mark.parametrize("there", [True, False])
def test_a_read_only_place_is_a_line_for_the_user(tmp_path, there):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    code = f"""
import os
from pathlib import Path
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, write_file
import filelock
os.chdir({str(tmp_path)!r})
if os.getuid() == 0:
    os.setuid(65534)
for attempt in (lambda: owning(Path("theirs") / {"" if there else "new"!r}, "run_busy", "").__enter__(),
                lambda: write_file(Path("theirs/x"), b"")):
    try:
        attempt()
    except HangtagError as error:
        print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if "PermissionError" in done.stderr:
        pytest.skip("another user cannot even look here")
    assert done.stdout.split() == ["storage_read_only"] * 2, done.stderr


SPECIAL = ["/proc/kmsg", "/dev/zero", "/dev/null", "fifo", "socket", "folder", "link to a fifo"]


@pytest.mark.skipif(os.name == "nt", reason="has no such files")
@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_no_regular_file_is_refused_unread(tmp_path, name):
    import socket

    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link to a fifo").symlink_to("fifo")
    (tmp_path / "folder").mkdir()
    path = tmp_path / name  # an absolute name stays what it is
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        if not path.exists():
            pytest.skip("there is none here")
        for read in (read_regular, sha256_of):
            with pytest.raises(NotRegularError, match="not a file but"):
                read(path)


def test_a_regular_file_is_read_up_to_a_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "a", 4) == b"0123"
    assert read_regular(tmp_path / "a", -1) == read_regular(tmp_path / "a") == b"0123456789"
