"""Which files below a folder are pictures. What is skipped is counted; nothing outside the folder is ever reached."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hangtag.preprocess.formats import EXTENSIONS


@dataclass
class Found:
    """Pictures found, and how much was passed by.

    Args:
        paths: files to recognise, a folder's in alphabetical order.
        others: files of other kinds, and hidden ones.
        links: symbolic links inside a folder; none is followed, wherever it points.
        unreadable: folders that may not be listed.
    """

    paths: list[Path | str] = field(default_factory=list)
    others: int = 0
    links: int = 0
    unreadable: list[Path] = field(default_factory=list)


def is_folder(path: Path) -> bool:
    """Whether it is one. What cannot be looked at is none: opening it will say why."""
    try:
        return path.is_dir()
    except OSError:  # before Python 3.14: a name too long, or a folder above that may not be entered
        return False


def find_pictures(paths: Iterable[Path | str]) -> Found:
    """Every picture among `paths`: a folder gives those at any depth below it, anything else is taken at its word.

    What is no path (empty, an address) stays the text that it is: `Path` would make another of it.
    """
    found = Found()
    for path in paths:
        if isinstance(path, Path) and is_folder(path):
            _search(path, found)
        else:
            found.paths.append(path)
    return found


def _search(root: Path, found: Found) -> None:
    def unreadable(error: OSError) -> None:
        found.unreadable.append(Path(error.filename))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        here = Path(folder)
        linked = [name for name in folders if (here / name).is_symlink()]
        found.links += len(linked)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in linked)
        for name in sorted(files):
            if (path := here / name).is_symlink():
                found.links += 1
            elif name.startswith(".") or path.suffix.lower() not in EXTENSIONS:  # ._x.jpg is a Mac's note on x.jpg
                found.others += 1
            else:
                found.paths.append(path)
