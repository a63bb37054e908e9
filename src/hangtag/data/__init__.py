"""Data: files become a Dataset whose test half is opened apart. Start at `find`."""

from __future__ import annotations

import os
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.registry import nearest
from hangtag.core.types import Dataset
from hangtag.data.places import at_home, folder_called, holds_idx
from hangtag.data.sets import LINKED, Progress, register


def find(
    spec: str | os.PathLike[str] | None = None,
    *,
    name: str = "fashion-mnist",
    size: int = 28,
    colour: bool = False,
    progress: Progress | None = None,
    place: str | None = None,
    follow_links: bool = False,
) -> Dataset:
    """The data set the user means. Pictures are read, checked and, if need be, fetched when a half of it is opened.

    Args:
        spec: None: `name`, from `HANGTAG_DATA`, the cache or a download. Else a set's name (`drawn`), `NAME=PATH`, or a
            path: the folder of `name`, a root that holds it, or a folder of class folders.
        name: which set it is if `spec` does not say.
        size, colour: pixels along a side, and RGB in place of grey, where the set has a choice.
        progress: told `(what, done, total)` while something takes long.
        place: where `name` lay when a model was trained on it (`Dataset.place`): looked at if `spec` does not say, and
            `HANGTAG_DATA` has no folder of that name.
        follow_links: for a folder of images: follow links out of it, as `linked-folder=PATH` does.

    Raises:
        HangtagError: `data_not_found`, `data_unreadable`, `usage_unknown_data_set`, `usage_value`; opening a half: any
            `data_*` or `storage_*`.
    """
    if not isinstance(spec, str | os.PathLike | None):
        raise HangtagError("usage_value", f"data are named by a word or a path, not by {spec!r}")
    text = None if spec is None else os.fspath(spec)
    if follow_links and text is not None and not text.startswith(LINKED):
        text = f"{LINKED}{text}"
    try:
        if text is None and place and _is_there(place, name):
            text, name = place, name if name.replace("-", "_") in register.names() else "image-folder"
        return _find(text, name, size, colour, progress, place)
    except OSError as error:  # a folder above it may not be entered; a name is longer than names can be
        place = error.filename or spec or name
        raise HangtagError("data_unreadable", f"{place} cannot be read: {error.strerror}") from error


def _is_there(place: str, name: str) -> bool:
    """Whether the folder a set lay in is still there, and the user has not said another."""
    said = os.environ.get("HANGTAG_DATA")
    if said and folder_called(name, Path(said)) is not None:
        return False
    return Path(place.rpartition("=")[2] if not Path(place).is_dir() else place).is_dir()


def _find(
    spec: str | None, name: str, size: int, colour: bool, progress: Progress | None, place: str | None
) -> Dataset:
    report = progress or (lambda what, done, total: None)

    sets = register.names()

    def opened(chosen: str, path: Path | None) -> Dataset:
        return register.get(chosen.replace("-", "_"))(path, size, colour, report)

    if spec is None and name.replace("-", "_") in sets:
        return opened(name, None)
    if spec is None:  # a folder of somebody's own, known by its name
        root = Path(os.environ.get("HANGTAG_DATA") or os.devnull)
        if (folder := folder_called(name, root)) is not None:
            return opened("image-folder", folder)
        raise HangtagError(
            "data_not_found",
            f"{place} is not there any more, where {name!r} lay: say --data PATH"
            if place
            else f"no data set is called {name!r}: if it is a folder of yours, say --data PATH",
        )
    if spec.replace("-", "_") in sets:
        return opened(spec, None)
    images = "image-folder"
    if spec.startswith(LINKED) and not Path(spec).exists():
        images, spec = LINKED.removesuffix("="), spec.removeprefix(LINKED)
    first, equals, rest = spec.partition("=")
    if equals and not Path(spec).exists():
        return opened(first, at_home(rest))
    path = at_home(spec)
    if not path.is_dir():
        hint = nearest(spec, [known.replace("_", "-") for known in sets])
        raise HangtagError("data_not_found", f"{spec!r} is neither a folder nor the name of a data set.{hint}")
    folder = folder_called(name, path)
    if name != "image-folder" and name.replace("-", "_") in sets and (folder is not None or holds_idx(path)):
        return opened(name, path)
    return opened(images, folder or path)
