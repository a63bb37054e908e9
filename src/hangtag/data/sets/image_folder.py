"""Your own pictures: a folder with a sub-folder per class, or with `train` and `test` (`validation`) folders of such.

Images are JPEG, PNG, WebP, AVIF or HEIC at any depth below the folder of their class, converted as `preprocess.photo`
does. What cannot be read is left out, named and counted in `Split.skipped`. Links are followed only to places inside
the folder. Bytes of a name that are no Unicode stand in class names as escapes (`core.printable.as_text`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text
from hangtag.core.types import Dataset, Split
from hangtag.data.sets import Progress, register
from hangtag.data.split import held_out_of
from hangtag.preprocess import decoder
from hangtag.preprocess.formats import EXTENSIONS, READ

TEST_FOLDERS = ("test", "validation", "val", "valid")
TENTH = " (a tenth set apart for the test)"  # what `origin` says after the folder where there is none of these
TEST_SEED = 1  # another cut than validation's
_MOST_CLASSES = 1_000
_MOST_BYTES = 8 << 30


@register("image_folder")
def image_folder(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The pictures below `path`; where there is no folder for the test, a tenth of them is set apart for it.

    Raises:
        HangtagError: `data_not_found`, `data_unreadable` or `data_count` if these are no class folders, `usage_value`
            for a size below 1; opening a half, `data_count` if a class has no picture that can be read.
    """
    if size < 1:
        raise HangtagError("usage_value", f"size should be 1 or more, not {size}")
    if path is None:
        raise HangtagError("usage_value", "pictures of your own need a folder: say --data PATH")
    if not path.is_dir():
        raise HangtagError("data_not_found", f"{path} is {'not a folder' if path.exists() else 'not there'}")
    from hangtag.preprocess.photo import read_file

    def convert(file: Path) -> NDArray[np.uint8]:
        return decoder.shared().convert(read_file(file), size, colour)

    train = path / "train" if (path / "train").is_dir() else path
    tests = [path / name for name in TEST_FOLDERS if (path / name).is_dir()] if train != path else []
    for half in (train, *tests[:1]):
        if not _is_inside(half, path.resolve()):
            raise HangtagError("data_unreadable", f"{half} is a link out of {path}: put the folder itself there")
    class_names = tuple(as_text(folder.name) for folder in _class_folders(train, []))
    if len(class_names) < 2:
        found = f"only {class_names[0]!r}" if class_names else "none"
        raise HangtagError("data_count", f"{train} should hold two or more folders, one per class: there is {found}")
    if len(class_names) > _MOST_CLASSES:
        raise HangtagError(
            "data_count", f"{train} holds {len(class_names):,} folders: more than {_MOST_CLASSES:,} classes"
        )
    name, shape = as_text(path.resolve().name), (size, size, 3) if colour else (size, size)
    learn = _Tree(train, class_names, shape, convert, progress)
    if tests:
        judge = _Tree(tests[0], class_names, shape, convert, progress)
        return Dataset(name, class_names, lambda: learn.read(every_class=True), judge.read, str(path))

    def part(test: bool, every_class: bool) -> Split:
        return learn.read(held_out_of(learn.labels, max(1, len(learn.labels) // 10), TEST_SEED) == test, every_class)

    return Dataset(name, class_names, lambda: part(False, True), lambda: part(True, False), f"{path}{TENTH}")


@dataclass(frozen=True)
class _Tree:
    """Class folders below `root`, listed when first needed."""

    root: Path
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    convert: Callable[[Path], NDArray[np.uint8]]
    progress: Progress

    @cached_property
    def _listed(self) -> tuple[list[tuple[Path, int]], list[str]]:
        files: list[tuple[Path, int]] = []
        skipped: list[str] = []
        try:
            for folder in _class_folders(self.root, skipped):
                if (class_name := as_text(folder.name)) not in self.class_names:
                    raise HangtagError("data_label", f"{folder} is no class of the training pictures: move it away")
                label = self.class_names.index(class_name)
                files += [(file, label) for file in _pictures_below(folder, self.root.resolve(), skipped)]
        except OSError as error:
            place = error.filename or self.root
            raise HangtagError("data_unreadable", f"{place} cannot be read: {error.strerror}") from error
        if not files:
            raise HangtagError("data_count", f"{self.root} holds no {READ}")
        return files, skipped

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([label for _, label in self._listed[0]], dtype=np.int64)

    def read(self, chosen: NDArray[np.bool_] | None = None, every_class: bool = False) -> Split:
        """The pictures where `chosen` is true, or all. With `every_class`, none may be left without."""
        files, skipped = self._listed
        if chosen is not None:
            files = [file for file, wanted in zip(files, chosen, strict=True) if wanted]
        images, kept, reasons = self._decode(files)
        labels = np.array([files[i][1] for i in kept], dtype=np.int64)
        split = Split(
            images,
            labels,
            self.class_names,
            tuple(files[i][0].relative_to(self.root).as_posix() for i in kept),
            tuple(map(as_text, (*skipped, *reasons))),
        )
        empty = [name for name, count in split.counts().items() if not count]
        if not len(split) or (every_class and empty):
            first = f" ({len(split.skipped)} could not be read, the first: {split.skipped[0]})" if split.skipped else ""
            which = ", ".join(repr(name) for name in empty)
            raise HangtagError(
                "data_count", f"{self.root} has no picture of {which}: add some, or remove the folder{first}"
            )
        return split

    def _decode(self, files: list[tuple[Path, int]]) -> tuple[NDArray[np.uint8], list[int], list[str]]:
        shape = (len(files), *self.shape)
        if int(np.prod(shape, dtype=np.int64)) > _MOST_BYTES:
            raise HangtagError(
                "data_count",
                f"{len(files):,} pictures of {self.shape[0]} pixels fill more than 8 GiB: try a smaller size",
            )
        images = np.empty(shape, dtype=np.uint8)

        def one(i: int) -> str:
            try:
                images[i] = self.convert(files[i][0])
            except HangtagError as error:
                if not error.code.startswith("image"):  # no decoder starts, say
                    raise
                return f"{files[i][0]}: {error.message}"
            return ""

        kept, reasons = [], []
        pool = ThreadPoolExecutor(decoder.shared().workers)  # as many wait for child processes
        try:
            for i, reason in enumerate(pool.map(one, range(len(files)))):
                if reason:
                    reasons.append(reason)
                else:
                    kept.append(i)
                self.progress(f"reading {self.root.name}", i + 1, len(files))
        finally:
            pool.shutdown(cancel_futures=True)
        return (images if len(kept) == len(files) else images[kept]), kept, reasons


def _class_folders(root: Path, skipped: list[str]) -> list[Path]:
    """The folders of `root` in order of name; links that could be one but lead out of it go to `skipped`."""
    inside = root.resolve()
    folders = []
    for path in sorted(root.iterdir(), key=lambda path: path.name):
        if path.name[0] in "._" or (path.exists() and not path.is_dir()):
            continue
        if _is_inside(path, inside):
            folders.append(path)
        else:
            skipped.append(_astray(path))
    return folders


def _pictures_below(folder: Path, root: Path, skipped: list[str]) -> list[Path]:
    """Every picture below `folder`, in order of name; what is passed by goes to `skipped`, save hidden files."""
    pictures: list[Path] = []
    seen: set[Path] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        real = here.resolve()
        within = root if here == folder else folder.resolve()  # a class's folder may itself be a link
        if real in seen or (here.is_symlink() and within.is_relative_to(real)):
            skipped.append(f"{here}: a link to a folder read already")
            continue
        seen.add(real)
        for path in sorted(here.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_symlink() and not _is_inside(path, root):
                skipped.append(_astray(path))
            elif path.is_dir():
                waiting.append(path)
            elif path.suffix.lower() in EXTENSIONS:
                pictures.append(path)
            else:
                skipped.append(f"{path}: not called as {READ} are")
    return sorted(pictures)


def _astray(link: Path) -> str:
    return f"{link}: a link {'out of the folder' if link.exists() else 'to nothing'}"


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # dangling, or a loop (RuntimeError until Python 3.13)
        return False
