"""Where things lie: the user's cache, and the places a model's name is looked up."""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular
from hangtag.core.registry import nearest

UNFINISHED = "unfinished"  # in the folder of a run: bundles of its best epochs, while it is not at its end
COMMAND = "command.txt"  # in the folder of a run: what was typed to begin it
_EPOCH = re.compile(r"epoch-\d{6,}")
MEMBER = re.compile(r"[a-z0-9_]{1,40}")  # what the folder of a bundle's member may be called


def cache_folder() -> Path:
    """The folder Hangtag may fill and clear: `HANGTAG_CACHE`, or the platform's cache folder for the user."""
    if named := os.environ.get("HANGTAG_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("hangtag", appauthor=False)


def folder_name(name: str) -> str:
    """`name` as any file system takes it for a folder: no separators, at most 60 characters, never empty."""
    return re.sub(r"[^\w.-]+", "_", name).strip(".")[:60] or "model"


def weights_folders() -> list[Path]:
    """Folders of bundles, in the order a name is looked up: package, `HANGTAG_WEIGHTS`, `./weights`, cache."""
    folders = [Path(__file__).parent.parent / "weights"]
    if named := os.environ.get("HANGTAG_WEIGHTS"):
        folders.append(Path(named))
    return [*folders, Path("weights"), cache_folder() / "weights"]


def is_packaged(folder: Path) -> bool:
    """Whether `folder` came with the installed package: such files are not ours to change."""
    return folder.resolve().is_relative_to(Path(__file__).resolve().parents[1])


def bundle_names() -> dict[str, Path]:
    """Every bundle that can be called by name, and where it lies; members of bundles go after those of their own."""
    found: dict[str, Path] = {}
    for pattern in ("*/card.json", "*/*/card.json"):
        for folder in weights_folders():
            with contextlib.suppress(OSError):  # before Python 3.13: a name too long, a folder that may not be entered
                for card in sorted(folder.glob(pattern)):
                    if pattern == "*/card.json" or (card.parent.parent / "card.json").is_file():
                        found.setdefault(card.parent.name, card.parent)
    return found


def unfinished_in(run: Path) -> Path | None:
    """Bundle of the best weights so far in the folder of a run that is not at its end, or None if there is none yet."""
    found = sorted((run / UNFINISHED).glob("epoch-*"), key=epoch_of, reverse=True)
    return next((path for path in found if epoch_of(path) and (path / "card.json").is_file()), None)


def epoch_of(folder: Path) -> int:
    """The number in `epoch-000003`; 0 for what is called anything else, such as a folder that is being written."""
    return int(folder.name.removeprefix("epoch-")) if _EPOCH.fullmatch(folder.name) else 0


def find_bundle(name_or_path: str | os.PathLike[str]) -> Path:
    """The folder of a bundle given by path or by name. A path that exists wins only if it is a bundle.

    A member of a bundle has the path `FOLDER/MEMBER`, and the name `MEMBER` or `NAME/MEMBER`. The folder of a run
    stands for its bundle or, as long as it trains, for the best weights so far.

    Raises:
        HangtagError: `bundle_not_found`, saying where was looked.
    """
    path = Path(name_or_path)
    try:
        exists = path.exists()
        if (path / "card.json").is_file():
            return path
        if (path / "bundle" / "card.json").is_file():  # the folder of a run: what `train --out` was given
            return path / "bundle"
        if (found := unfinished_in(path)) is not None:
            return found
        if not exists and path.parent.name == UNFINISHED:
            raise HangtagError("bundle_not_found", f"{path} made way for a better epoch of its run: try again")
    except OSError as error:  # a name too long, or a folder that may not be entered
        raise HangtagError("bundle_not_found", f"{path} cannot be read: {error.strerror}") from error
    names = bundle_names()
    if (name := str(name_or_path)) in names:
        return names[name]
    whole, _, member = name.partition("/")
    if whole in names and MEMBER.fullmatch(member) and (names[whole] / member / "card.json").is_file():
        return names[whole] / member
    if exists:
        raise HangtagError("bundle_not_found", _without_model(path))
    raise HangtagError(
        "bundle_not_found", f"no bundle is called {name!r} and no folder either.{nearest(name, sorted(names))}"
    )


def _without_model(folder: Path) -> str:
    """Why a folder that is there is no bundle, and what to do."""
    recipe = None
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if (folder / "run.json").is_file():
            recipe = json.loads(read_regular(folder / "run.json")).get("recipe")
    if not isinstance(recipe, dict):
        return f"{folder} is not a bundle: it holds no card.json"
    command = "the command that began it"
    with contextlib.suppress(OSError, ValueError, IndexError):
        if (folder / COMMAND).is_file():
            command = read_regular(folder / COMMAND).decode().splitlines()[0]
    if recipe.get("kind") == "classical":
        return f"{folder} has no model yet, and its recipe has no epochs: let it run to its end: {command}"
    return f"{folder} has no validated epoch yet: let it train on: {command}"
