"""Writing that is either whole or absent, whatever happens in the middle, and folders with one owner.

A reader never sees half a file: content goes to a temporary neighbour, is fsynced, and is renamed into place; the
parent folder is fsynced last, so that the rename itself survives a power cut.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from hangtag.core.errors import HangtagError, writing_to

MAX_RECORD = 64_000_000  # bytes: the JSON files of runs and studies have thousands
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_TEMPORARY = re.compile(r"\.tmp\.(\d+)\.[0-9a-f]{8}$")


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file's content."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class NotRegularError(OSError):
    """What is asked for as a file is something else: reading it could wait for ever, or have no end."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EINVAL, what)

    def __str__(self) -> str:
        return str(self.strerror)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """Open a regular file for reading; nothing else is opened, and so nothing hangs.

    A pipe waits for its writer, a terminal for its user, /proc/kmsg for the kernel, and /dev/zero has no end.

    Raises:
        NotRegularError: it is a folder, a pipe, a device, a socket or a file that the system makes up while it is read.
        OSError: whatever opening raises.
    """
    _refuse_special(path.stat())  # before it is opened: to open a tape rewinds it
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))
    with os.fdopen(os.open(path, flags), "rb") as file:
        _refuse_special(os.fstat(file.fileno()))  # it may have been replaced meanwhile
        yield file


def read_regular(path: Path, max_bytes: int = MAX_RECORD) -> bytes:
    """The first `max_bytes` bytes of a regular file, or all if that is -1; one more than you accept shows a longer one.

    Raises:
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        return file.read(max_bytes) or b""  # None: there is nothing yet, and it is not waited for


def _refuse_special(status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise NotRegularError(f"not a file but {_KINDS.get(kind, 'a special file')}")
    if status.st_dev in _made_up():
        raise NotRegularError("not a file but something the system makes up while it is read")


@functools.cache
def _made_up() -> frozenset[int]:
    """The file systems whose files are regular by name only."""
    devices = set()
    for root in ("/proc", "/sys"):
        with contextlib.suppress(OSError):
            if os.path.ismount(root):
                devices.add(os.stat(root).st_dev)  # noqa: PTH116
    return frozenset(devices)


def temporary_neighbour(path: Path) -> Path:
    """A name beside `path` that tells whose it is, so that a crash's leftovers can be swept: `x.tmp.<pid>.<random>`."""
    return path.with_name(f"{path.name}.tmp.{os.getpid()}.{secrets.token_hex(4)}")


def write_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, atomically and durably; makes the parent folder.

    Raises:
        HangtagError: `storage_*`; whatever was at `path` is then still there.
    """
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_neighbour(path)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; on success it becomes `path`, replacing a folder that was there.

    Raises:
        HangtagError: `storage_*`; whatever was at `path` is then still there.
    """
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_neighbour(path)
        try:
            temporary.mkdir()
            yield temporary
            for file in sorted(temporary.rglob("*")):
                if file.is_file():
                    with file.open("rb+") as handle:
                        os.fsync(handle.fileno())
            sync_folder(temporary)
            if path.exists():  # rename cannot replace a filled folder: step it aside first
                old = temporary_neighbour(path)
                path.rename(old)
                try:
                    temporary.rename(path)
                except BaseException:
                    old.rename(path)
                    raise
                shutil.rmtree(old, ignore_errors=True)
            else:
                temporary.rename(path)
            sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable. Windows has no such call and journals them itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, *, owned: bool = False) -> int:
    """Delete temporary files and folders that processes now dead left in `folder`. Returns how many.

    Args:
        folder: where to look; not below it.
        owned: the caller is the only one who writes there and is writing nothing: everything temporary is a leftover. A
            container gives each new process the number of the dead one.
    """
    swept = 0
    for path in folder.glob("*.tmp.*"):
        match = _TEMPORARY.search(path.name)
        if match is None or (not owned and _alive(int(match[1]))):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        swept += 1
    return swept


@contextlib.contextmanager
def owning(folder: Path, code: str, busy: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold `folder` as its only owner. The operating system frees the lock when a process dies, however it dies.

    Raises:
        HangtagError: `code` with the message `busy`, if another process holds it for longer than `wait_s`.
    """
    from filelock import FileLock, Timeout

    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=wait_s)
        try:
            lock.acquire()
        except Timeout as error:
            raise HangtagError(code, busy) from error
    try:
        yield
    finally:
        lock.release()


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    if os.name == "nt":  # os.kill(pid, 0) would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
