"""Data: files become a Dataset whose test half is opened apart. Start at `find`."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text
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
    text: str | None = None if spec is None else os.fspath(spec)
    if text == "" or (text and text.endswith("=") and not Path(text).exists()):  # "", mnist=
        raise HangtagError("usage_value", "the path of the data is empty: name a folder, or . for this one")
    if follow_links and text is not None and not text.startswith(LINKED):
        text = f"{LINKED}{text}"
    place = place if isinstance(place, str) else None
    try:
        if text is None:
            text = place_of(name, place)
        return _find(text, name, size, colour, progress, place)
    except OSError as error:  # a folder above it may not be entered; a name is longer than names can be
        where = error.filename or spec or name
        raise HangtagError("data_unreadable", f"{where} cannot be read: {error.strerror}") from error


def place_of(name: str, place: str | None) -> str | None:
    """`place` (`Dataset.place`, kept in a card) if a folder is still there, and the user has not named another.

    Args:
        name: the set's name: a folder of that name in `HANGTAG_DATA` goes first.
        place: `SET=PATH`, or None.
    """
    said = os.environ.get("HANGTAG_DATA")
    if not isinstance(place, str) or (said and folder_called(name, Path(said)) is not None):
        return None
    try:  # a card may come from anywhere: it may not make Windows greet another machine
        path = at_home(place.partition("=")[2])
        return place if not str(path).startswith(("\\\\", "//")) and path.is_absolute() and path.is_dir() else None
    except (HangtagError, OSError, ValueError):
        return None


def _from_home(path: Path) -> str:
    """An absolute path, in which the user's home folder is `~`: a bundle that travels does not carry a user's name."""
    found = path.resolve()
    with contextlib.suppress(RuntimeError):
        if found.is_relative_to(home := Path.home().resolve()) and found != home:
            return as_text(Path("~") / found.relative_to(home))
    return as_text(found)


def _find(
    spec: str | None, name: str, size: int, colour: bool, progress: Progress | None, place: str | None
) -> Dataset:
    report = progress or (lambda what, done, total: None)

    sets = register.names()

    def opened(chosen: str, path: Path | None) -> Dataset:
        found = register.get(chosen.replace("-", "_"))(path, size, colour, report)
        return found if path is None else replace(found, place=f"{chosen.replace('_', '-')}={_from_home(path)}")

    if spec is None and name.replace("-", "_") in sets:
        return opened(name, None)
    if spec is None:  # a folder of somebody's own, known by its name
        root = Path(os.environ.get("HANGTAG_DATA") or os.devnull)
        if (folder := folder_called(name, root)) is not None:
            return opened("image-folder", folder)
        raise HangtagError(
            "data_not_found",
            f"{place.partition('=')[2]} is not there any more, where {name!r} lay: say --data PATH"
            if place
            else f"no data set is called {name!r}: if it is a folder of yours, say --data PATH",
        )
    if spec.replace("-", "_") in sets:
        return opened(spec, None)
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
    return opened("image-folder", folder or path)
