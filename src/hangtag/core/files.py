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
import sys
from collections.abc import Iterator
from pathlib import Path

from hangtag.core.errors import HangtagError, writing_to

_LONGEST = 200  # bytes of a name that the ending of a temporary one still fits behind: file systems take 255
_START = 4096  # bytes of a file that say what made it
_MOST_LINKS = 40  # as Linux
_A_DISK = "it is a disk, and what is on it would be lost: name a file"
MAX_RECORD = 64_000_000  # bytes: the JSON files of runs and studies have thousands
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_DESCRIPTOR = re.compile(r"/dev/std(?P<name>in|out|err)|/(?:dev|proc/self)/fd/(?P<number>[0-9]{1,6})")
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
    name = path.name if len(os.fsencode(path.name)) <= _LONGEST else path.name[: _LONGEST // 4]  # 4 bytes a character
    return path.with_name(f"{name}.tmp.{os.getpid()}.{secrets.token_hex(4)}")


def write_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, atomically and durably; makes the parent folder.

    A link stays a link: the file it names is written. What is no file (a terminal, `/dev/null`, `/dev/stdout`, a named
    pipe somebody reads) is written into and never replaced.

    Raises:
        HangtagError: `storage_*`; whatever was at `path` is then still there.
    """
    with writing_to(path):
        target = _target(path)
        there = _status(target)
        if _descriptor_of(target) is not None or (there and not stat.S_ISREG(there.st_mode)):
            _write_into(target, there, content)
            return
        _check_writable(path, target, there)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_neighbour(target)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if there:
                temporary.chmod(stat.S_IMODE(there.st_mode))  # who may read it is not for us to change
            temporary.replace(target)
            sync_folder(target.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def check_output(path: Path) -> None:
    """Look now whether `write_file` could write `path`, not after an hour of work. Nothing is written or made.

    Raises:
        HangtagError: `storage_*`.
    """
    with writing_to(path):
        target = _target(path)
        there = _status(target)
        if there and stat.S_ISDIR(there.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder: name a file in it")
        if there and stat.S_ISBLK(there.st_mode):
            raise OSError(errno.EINVAL, _A_DISK)
        if _descriptor_of(target) is None and (there is None or stat.S_ISREG(there.st_mode)):
            _check_writable(path, target, there)


def check_ours(path: Path, mark: bytes, cure: str) -> None:
    """See that a file nobody named, but a default, is not somebody's own: what Hangtag makes has `mark` at its start.

    Raises:
        HangtagError: `usage_value` with `cure`, if there is a file without it.
    """
    try:
        if not path.is_file():  # what is no file is not replaced
            return
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        start = b""  # whose it is cannot be told
    if mark not in start:
        raise HangtagError("usage_value", f"{path} is there and was not made by Hangtag: {cure}")


def _target(path: Path) -> Path:
    """What a link leads to, link by link; descriptors of this process, such as `/dev/stdout`, are ends."""
    for _ in range(_MOST_LINKS):
        if _descriptor_of(path) is not None or not path.is_symlink():
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _descriptor_of(path: Path) -> int | None:
    """The number in `/dev/stdout`, `/dev/fd/3` and their like: a file behind it is written on with, not replaced."""
    match = _DESCRIPTOR.fullmatch(path.as_posix())
    if os.name == "nt" or match is None:
        return None
    return int(match["number"]) if match["number"] else {"in": 0, "out": 1, "err": 2}[match["name"]]


def _check_writable(path: Path, target: Path, there: os.stat_result | None) -> None:
    """Renaming would put a new file over a write-protected one, and folders at the place where a link's file lay."""
    if there and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if target != path and not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"it is a link to {target}, and there is no such folder")


def _write_into(path: Path, there: os.stat_result | None, content: bytes) -> None:
    """Write into what is no file; a named pipe that nobody reads is refused, where opening it would wait for ever."""
    if there and stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder: name a file in it")
    if there and stat.S_ISBLK(there.st_mode):
        raise OSError(errno.EINVAL, _A_DISK)
    number = _descriptor_of(path)
    if number is None:
        try:
            handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OSError(errno.ENXIO, "nobody reads it: start its reader first, or name a file") from error
            raise
    else:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # what was printed comes before
        handle = os.dup(number)
    try:
        if number is None and hasattr(os, "O_NONBLOCK"):
            os.set_blocking(handle, True)  # who reads slowly is waited for
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
    finally:
        os.close(handle)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill; on success it becomes `path`, replacing a folder that was there.

    A link to a folder stays a link: the folder it names is replaced. What is no folder is never replaced.

    Raises:
        HangtagError: `storage_*`; whatever was at `path` is then still there.
    """
    with writing_to(path):
        path = _target(path)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is there and is no folder")
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
        _check_lock(folder / ".lock")
        lock = FileLock(folder / ".lock", timeout=wait_s)
        try:
            lock.acquire()
        except Timeout as error:
            raise HangtagError(code, busy) from error
    try:
        yield
    finally:
        lock.release()


def _check_lock(path: Path) -> None:
    """The lock's file is emptied when it is taken: ours are empty, and what is not is somebody else's."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(there.st_mode) or there.st_size:
        raise OSError(errno.EEXIST, f"{path.name} in it was not made by Hangtag: choose another --out")


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
