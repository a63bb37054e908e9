"""Where a data set lies: a folder the user named, else `HANGTAG_DATA`, else the cache. The first named counts."""

from __future__ import annotations

import os
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.paths import cache_folder


def find_folder(name: str, path: Path | None) -> tuple[Path, bool]:
    """The folder of the set `name`, and whether it is in the cache, which may be filled and mended.

    Args:
        name: the set's name, with `-`; its folder may be written with `_` too.
        path: a root holding such a folder, or the folder itself; None: `HANGTAG_DATA` if that is set, else the cache.

    Raises:
        HangtagError: `data_not_found`, if a place was named and is no such folder: the cache never stands in for it.
    """
    said = str(path) if path is not None else os.environ.get("HANGTAG_DATA", "")
    if not said:
        return cache_folder() / "data" / name, True
    root, source = at_home(said), "" if path is not None else " (HANGTAG_DATA)"
    if (folder := folder_called(name, root)) is not None:
        return folder, False
    if holds_idx(root):
        return root, False
    what = (
        "is a file"
        if root.is_file()
        else "does not exist"
        if not root.exists()
        else f"holds no folder {name} and no IDX files"
    )
    cure = "" if path is not None else ", or unset HANGTAG_DATA to use the cache"
    raise HangtagError("data_not_found", f"{root}{source} {what}: give the folder of {name}{cure}")


def at_home(path: str) -> Path:
    """A path whose `~` or `~user` stands for a home folder.

    Raises:
        HangtagError: `data_not_found` where there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise HangtagError("data_not_found", f"{path} begins with the name of no user of this machine") from error


def folder_called(name: str, root: Path) -> Path | None:
    """`root/name`, with `-` or `_`, if it is a folder."""
    for spelling in (name, name.replace("-", "_")):
        if (root / spelling).is_dir():
            return root / spelling
    return None


def holds_idx(folder: Path) -> bool:
    """Whether a folder holds files called as MNIST's are."""
    return folder.is_dir() and any(folder.glob("*[-.]idx[13]-ubyte*"))


def idx_file(folder: Path, stem: str, endings: tuple[str, ...]) -> Path:
    """The file `stem` in `folder` with the first of `endings` there is; the first of all where there is none.

    Unpacked by some programs, `train-images-idx3-ubyte` is called `train-images.idx3-ubyte`.
    """
    names = [f"{spelling}{ending}" for ending in endings for spelling in (stem, stem.replace("-idx", ".idx"))]
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])
