"""Which sub-folders of a folder of images are splits, and which are classes.

A folder called as splits usually are (`Train`, `training_set`, `val`, `dev`, `Test Images`) is a split where it holds
class folders of its own. One that holds images is a class, whatever it is called. A folder that holds nothing but one
folder of folders, as archives often unpack to, stands for that one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from hangtag.core.errors import HangtagError
from hangtag.core.folder_summary import LeftOut
from hangtag.preprocess.formats import EXTENSIONS, READ

SplitName: TypeAlias = Literal["training", "validation", "test"]

# The first names of a row are preferred where a folder holds two of the same kind.
_WORDS: dict[SplitName, tuple[str, ...]] = {
    "training": ("train", "training"),
    "validation": ("validation", "valid", "val", "validate", "validating", "dev", "devel", "development"),
    "test": ("test", "testing", "tests", "eval", "evaluation", "holdout", "heldout"),
}
_ENDINGS = re.compile(r"(?:sets?|splits?|data|dataset|images?|imgs?|photos?|pictures?|folders?)?")
_BEGINNINGS = re.compile(r"(?:dataset|data|images|image|imgs|img|photos|photo|pictures|split)?")
_DEEPEST = 8  # folders that hold one folder each
_DROPPINGS = ("thumbs.db", "desktop.ini", "icon\r")  # what systems put into folders by themselves


@dataclass
class Layout:
    """Where the splits of a folder lie.

    Args:
        root: the folder that was named.
        training: the folder that holds the class folders to train on; `root` itself, or one below it.
        validation, test: likewise, where there are any.
        left_out: what lies beside them.
        notes: what may not be as meant.
    """

    root: Path
    training: Path
    validation: Path | None = None
    test: Path | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_layout(root: Path, follow_links: bool = False) -> Layout:
    """The layout of the folder `root`.

    Raises:
        HangtagError: `data_unreadable` for a split that is a link out of `root` where links are not followed;
            `data_count` where there is a test folder and a validation folder, and none to train on.
    """
    left_out: list[LeftOut] = []
    here = root
    for _ in range(_DEEPEST):
        splits = _splits(here, root, follow_links)
        if splits:
            break
        only = _only_folder(here, root, follow_links)
        if only is None:
            break
        left_out += _beside(here, [only], root)
        here = only
    if not splits:
        layout = Layout(root, here, left_out=left_out)
        layout.notes = _doubts(here)
        return layout
    left_out += _beside(here, list(splits.values()), root)
    for kind, path in list(splits.items()):
        splits[kind] = inner = _unwrapped(path, root, follow_links)
        left_out += _beside(path, [inner], root) if inner != path else []
    return Layout(root, splits["training"], splits.get("validation"), splits.get("test"), left_out)


def split_name(folder: str) -> SplitName | None:
    """Which split a folder of this name usually is: "training" for `Train` and `training_set`; None for most."""
    rank = _rank(folder)
    return list(_WORDS)[rank[0]] if rank else None


def is_hidden(name: str) -> bool:
    """Whether nobody put this into a folder on purpose."""
    return name.startswith(".") or name.casefold() in _DROPPINGS


def is_archive_note(name: str) -> bool:
    """Whether this is the folder in which a Mac's archives keep what other systems have no place for."""
    return name.casefold() == "__macosx"


def is_image(path: Path) -> bool:
    """Whether a file is called as images are."""
    return path.suffix.lower() in EXTENSIONS


def is_inside(path: Path, root: Path) -> bool:
    """Whether `path` exists and, links followed, lies in `root`, which is resolved."""
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # dangling, or a loop (RuntimeError until Python 3.13)
        return False


def folders_in(folder: Path) -> list[Path]:
    """The sub-folders that may be classes or splits, links to folders among them, in order of name."""
    return [
        path
        for path in sorted(folder.iterdir(), key=lambda path: path.name)
        if not is_hidden(path.name) and not is_archive_note(path.name) and (path.is_dir() or path.is_symlink())
        if path.is_dir() or not path.exists()
    ]


def _rank(folder: str) -> tuple[int, int, int] | None:
    """Which split a folder is called like, and how well: smaller is better."""
    word = re.sub(r"[\s_.\-]+", "", folder.casefold())
    beginning = _BEGINNINGS.match(word)
    if beginning and beginning.end() and _rank(word[beginning.end() :]):  # images_train, split-test
        word = word[beginning.end() :]
    for kind, words in enumerate(_WORDS.values()):
        for rank, known in enumerate(words):
            if word.startswith(known) and _ENDINGS.fullmatch(word[len(known) :]):
                return kind, len(word) - len(known), rank
    return None


def _splits(here: Path, root: Path, follow_links: bool) -> dict[SplitName, Path]:
    """The folders of `here` that are splits; empty where `here` holds classes."""
    inside, folders = root.resolve(), folders_in(here)
    away = [path for path in folders if not follow_links and path.is_symlink() and not is_inside(path, inside)]
    named = sorted((path for path in folders if split_name(path.name)), key=lambda path: _rank(path.name) or (0, 0, 0))
    holds = {path: subs for path in named if path not in away and (subs := _names_in(path))}
    astray = [path for path in named if path in away and path.exists()]
    if astray and (holds or len({split_name(path.name) for path in astray}) > 1):
        raise HangtagError(
            "data_unreadable",
            f"{astray[0]} is a link out of {root}: put the folder itself there, or follow it with --follow-links",
        )
    found: dict[SplitName, Path] = {}
    for path in holds:
        kind = split_name(path.name)
        assert kind is not None
        found.setdefault(kind, path)
    first, *others = found.values() if found else [here]
    alike = any(holds[first] & holds[other] for other in others)
    if "training" not in found:
        if alike:
            both = f"{first.name}/ and {others[0].name}/"
            raise HangtagError("data_count", f"{here} holds {both} and no folder to train on: call that one train")
        return {}
    if others:
        return found if alike or not any(map(_holds_images, (first, *others))) else {}
    classes = [_names_in(path) for path in folders if path not in named and path not in away]
    if not classes:
        return found
    shared = holds[first] & set().union(*classes)
    years = bool(shared) and all(name.isdecimal() for name in shared)  # dress/2025, train/2025: a class called train
    return {} if years or _holds_images(first) else found


def _names_in(folder: Path) -> set[str]:
    return {path.name.casefold() for path in folders_in(folder)}


def _holds_images(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(not is_hidden(entry.name) and is_image(Path(entry.name)) for entry in entries)


def _only_folder(here: Path, root: Path, follow_links: bool) -> Path | None:
    """The one folder `here` holds, if it has folders and no images of its own."""
    folders = folders_in(here)
    if len(folders) != 1 or _holds_images(here):
        return None
    (only,) = folders
    if not only.is_dir() or (not follow_links and not is_inside(only, root.resolve())):
        return None
    if only.resolve() == here.resolve() or here.resolve().is_relative_to(only.resolve()):  # a link to itself
        return None
    return only if folders_in(only) and not _holds_images(only) else None


def _unwrapped(split: Path, root: Path, follow_links: bool) -> Path:
    """What a split holds alone, if called as splits or images are: `train/train`, `test/images`. A class is not."""
    only = _only_folder(split, root, follow_links)
    called = only is not None and (split_name(only.name) or _BEGINNINGS.fullmatch(only.name.casefold()))
    return only if only is not None and called else split


def _beside(folder: Path, kept: list[Path], root: Path) -> list[LeftOut]:
    """What `folder` holds besides the folders that are read."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path in kept:
            continue
        if is_hidden(path.name):
            found += hidden_folder(path, root)
            continue
        if path.is_dir():
            kind = split_name(path.name)
            why = "there is another" if _names_in(path) else "holds no class folders"
            reason = f"called like a {kind} folder, but {why}" if kind else "beside the splits"
            found.append(LeftOut(path, reason, "folder", root))
        else:
            found.append(left_out_file(path, root))
    return found


def hidden_folder(path: Path, root: Path) -> list[LeftOut]:
    """That a hidden folder is left out; of hidden files, which systems make by themselves, nothing is said."""
    return [LeftOut(path, "a hidden folder", "folder", root)] if path.is_dir() and not path.is_symlink() else []


def left_out_file(path: Path, root: Path) -> LeftOut:
    """A file, or a link to nothing, that lies where only folders are looked for."""
    if path.is_symlink() and not path.exists():
        return LeftOut(path, "a link to nothing", "link", root)
    if not path.is_file():
        return LeftOut(path, "no regular file", "file", root)
    if is_image(path):
        return LeftOut(path, "an image outside the class folders", "loose", root)
    return LeftOut(path, f"not called as {READ} are", "file", root)


def _doubts(folder: Path) -> list[str]:
    """Class folders that are called like splits."""
    like = [path.name for path in folders_in(folder) if split_name(path.name)]
    if not like:
        return []
    are, hold = ("is a class", "it holds") if len(like) == 1 else ("are classes", "they hold")
    return [f"{' and '.join(like)} {are} here and no split: {hold} images, not class folders"]
