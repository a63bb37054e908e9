"""The one exception users see, and the exit code each kind of failure ends with."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

# A code's first word decides the exit status, so scripts can rely on either. docs/errors.md lists every code.
EXIT_STATUS = {
    "usage": 2,  # a wrong name, option or value: the command line is to be changed
    "image": 3,  # no picture could be recognised
    "data": 4,  # a data set is missing, damaged or not what it says
    "bundle": 5,  # a trained model is missing, damaged, unsafe or does not fit
    "run": 6,  # a run folder is in use, or belongs to other settings
    "checkpoint": 6,
    "storage": 7,  # a disk is full, read-only or failing
    "training": 8,  # training went wrong: loss not finite, out of memory
    "extra": 9,  # an optional part is not installed
    "decoder": 75,  # the machine is too busy to decode an image: to be tried again, as sysexits.h has it
    "internal": 70,  # a defect of ours
}
INTERRUPTED = 130


class HangtagError(Exception):
    """Something the user can act on: what is wrong, where, and the cure, in one line.

    Args:
        code: stable machine-readable name such as `data_truncated`; its first word is a key of `EXIT_STATUS`.
        message: one line for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def exit_status(self) -> int:
        """Process exit status, 2..9 (70 for a defect, 75 for a busy machine)."""
        return EXIT_STATUS[self.code.partition("_")[0]]

    def to_dict(self) -> dict[str, str]:
        """`{"code", "message"}`, as every JSON answer carries it."""
        return {"code": self.code, "message": self.message}


_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn an operating-system error met while writing `path` into a `HangtagError` that says the cure."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError) and os.path.lexists(path) and not path.is_dir():  # a link to nothing too
            raise HangtagError("storage_failed", f"could not write {path}: it is there and is no folder") from error
        if error.errno in _FULL:
            raise HangtagError(
                "storage_full", f"no space left while writing {path}: free some space, try again"
            ) from error
        if error.errno in _READ_ONLY:
            cure = "choose a folder of your own"
            if os.name == "nt":  # which says the same of a file that is open elsewhere
                cure += ", or close it in the program that has it open"
            raise HangtagError("storage_read_only", f"may not write {path}: {cure}") from error
        raise HangtagError("storage_failed", f"could not write {path}: {error.strerror or error}") from error
