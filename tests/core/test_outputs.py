"""No output overwrites what it should not: devices, pipes, links, write-protected and other people's files."""

import errno
import os
import select
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.files import check_ours, check_output, new_folder, owning, write_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


def refused(act, *arguments) -> HangtagError:
    with pytest.raises(HangtagError) as caught:
        act(*arguments)
    assert "\n" not in caught.value.message
    return caught.value


def device(path: Path, minor: int, kind: int = stat.S_IFCHR) -> Path:
    try:
        os.mknod(path, kind | 0o666, os.makedev(1, minor))
    except PermissionError:
        pytest.skip("only root makes devices")
    return path


def test_a_device_is_written_into_and_stays_a_device(tmp_path):
    null = device(tmp_path / "null", 3)
    write_file(null, b"x" * 100_000)
    assert stat.S_ISCHR(null.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == ["null"]


def test_a_full_device_is_a_full_disk(tmp_path):
    assert refused(write_file, device(tmp_path / "full", 7), b"x").code == "storage_full"


def test_a_disk_is_never_written_into(tmp_path):
    disk = device(tmp_path / "disk", 0, stat.S_IFBLK)
    assert "it is a disk" in refused(write_file, disk, b"x").message
    assert "it is a disk" in refused(check_output, disk).message


def test_a_pipe_that_nobody_reads_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "nobody reads it" in refused(write_file, tmp_path / "pipe", b"x").message
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_with_a_reader_gets_all_of_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = os.urandom(300_000)  # more than a pipe holds
    handle = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    writer = threading.Thread(target=write_file, args=(tmp_path / "pipe", content))
    writer.start()
    select.select([handle], [], [])  # until the writer is there: before, a pipe is at its end
    with os.fdopen(handle, "rb") as reader:
        got = reader.read()
    writer.join()
    assert got == content


def test_standard_output_is_written_on_with(tmp_path):
    code = """
from pathlib import Path
from hangtag.core.files import write_file
print("before")
write_file(Path("/dev/stdout"), b"content")
write_file(Path("/dev/fd/1"), b" and more")
print(" after")
"""
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"before\ncontent and more after\n"


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_stays_a_link_and_its_file_is_written(tmp_path, absolute):
    (tmp_path / "real").mkdir()
    (tmp_path / "second").symlink_to(tmp_path / "real/file" if absolute else "real/file")
    (tmp_path / "first").symlink_to("second")
    for content in (b"one", b"two"):  # the file is made, then replaced
        write_file(tmp_path / "first", content)
        assert (tmp_path / "real/file").read_bytes() == content
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["file"]


@pytest.mark.parametrize("target", ["nowhere/file", "link"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path, target):
    (tmp_path / "link").symlink_to(target)
    assert refused(write_file, tmp_path / "link", b"x").code == "storage_failed"
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_folder_is_no_place_for_a_file(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    for name in ("folder", "link"):
        assert "it is a folder: name a file in it" in refused(write_file, tmp_path / name, b"x").message
        assert "it is a folder" in refused(check_output, tmp_path / name).message


def test_a_new_folder_takes_the_place_behind_a_link_and_of_nothing_but_a_folder(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/old").touch()
    (tmp_path / "link").symlink_to("real")
    with new_folder(tmp_path / "link") as temporary:
        (temporary / "new").touch()
    assert (tmp_path / "link").is_symlink()
    assert [path.name for path in (tmp_path / "real").iterdir()] == ["new"]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("mine")
    for name in ("pipe", "file"):
        assert "is no folder" in refused(new_folder(tmp_path / name).__enter__).message
        assert "is no folder" in refused(owning(tmp_path / name, "run_busy", "").__enter__).message
    assert (tmp_path / "file").read_text() == "mine"


def test_who_may_read_a_file_is_not_changed(tmp_path):
    path = tmp_path / "private"
    path.touch(mode=0o600)
    path.chmod(0o640)
    write_file(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "mine"
    path.write_text("mine")
    path.chmod(0o444)
    if os.access(path, os.W_OK):  # as root
        monkeypatch.setattr(os, "access", lambda *arguments: False)
    assert refused(write_file, path, b"x").code == "storage_read_only"
    assert refused(check_output, path).code == "storage_read_only"
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["n" * 255, "é" * 127])
def test_the_longest_name_a_file_system_takes_is_taken(tmp_path, name):
    write_file(tmp_path / name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"
    assert refused(write_file, tmp_path / (name + "nn"), b"x").code == "storage_failed"


def test_a_file_in_the_place_of_the_lock_is_not_emptied(tmp_path):
    (tmp_path / ".lock").write_text("mine")
    assert "not made by Hangtag" in refused(owning(tmp_path, "run_busy", "").__enter__).message
    assert (tmp_path / ".lock").read_text() == "mine"


def test_a_file_nobody_named_is_overwritten_only_if_it_is_ours(tmp_path):
    path = tmp_path / "report.html"
    check_ours(path, b"hangtag", "")
    path.write_bytes(b"<meta hangtag>")
    check_ours(path, b"hangtag", "")
    path.write_bytes(b"my own page")
    error = refused(check_ours, path, b"hangtag", "name another file with --out")
    assert error.code == "usage_value"
    assert error.message.endswith("was not made by Hangtag: name another file with --out")


def test_a_failing_device_leaves_one_line(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    monkeypatch.setattr(os, "write", fail)
    assert "Input/output error" in refused(write_file, tmp_path / "pipe", b"x").message
    os.close(reader)
