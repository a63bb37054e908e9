"""Your own images: a folder with a sub-folder per class, or with folders for training, validation and test of such.

Images are JPEG, PNG, WebP, AVIF or HEIC at any depth below their class's folder, converted as `preprocess.photo` does.
Split folders go by their usual names in any case (`data.folder_layout`). Where there is no test folder, a validation
folder serves as the test too; where there is neither, a tenth of the images is set apart. What cannot be read is left
out, named and counted in `Split.skipped`. Links are followed to places inside the folder only (`linked_folder` follows
all). Bytes of a name that are no Unicode stand in class names as escapes (`core.printable.as_text`).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.folder_summary import FolderSummary, LeftOut
from hangtag.core.printable import as_text
from hangtag.core.types import Dataset, PhotoFiles, Split
from hangtag.data.folder_layout import Layout, read_layout
from hangtag.data.folder_listing import Listing, class_folders, list_images
from hangtag.data.sets import Progress, register
from hangtag.data.split import held_out_of, validation_of_labels
from hangtag.preprocess import decoder
from hangtag.preprocess.formats import READ

TEST_SEED = 1  # another cut than validation's
_MOST_CLASSES = 1_000
_MOST_BYTES = 8 << 30


@register("image_folder")
def image_folder(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The images below `path`; where there is no folder for the test, a tenth of them is set apart for it.

    Raises:
        HangtagError: `data_not_found`, `data_unreadable` or `data_count` if these are no class folders, `usage_value`
            for a size below 1; opening a half, `data_count` if a class has no image that can be read.
    """
    return open_image_folder(path, size, colour, progress)


def open_image_folder(
    path: Path | None, size: int, colour: bool, progress: Progress, *, follow_links: bool = False
) -> Dataset:
    """As `image_folder`; with `follow_links` links are followed wherever they lead."""
    if size < 1:
        raise HangtagError("usage_value", f"size should be 1 or more, not {size}")
    if path is None:
        raise HangtagError("usage_value", "pictures of your own need a folder: say --data PATH")
    if not path.is_dir():
        raise HangtagError("data_not_found", f"{path} is {'not a folder' if path.exists() else 'not there'}")
    from hangtag.preprocess.photo import read_file

    def convert(file: Path) -> NDArray[np.uint8]:
        return decoder.shared().convert(read_file(file), size, colour)

    layout = read_layout(path, follow_links)
    class_names = _class_names(layout, follow_links)
    shape = (size, size, 3) if colour else (size, size)

    def tree(folder: Path) -> _Tree:
        return _Tree(folder, path, class_names, shape, convert, progress, follow_links)

    validation, test = (None if each is None else tree(each) for each in (layout.validation, layout.test))
    return _Folder(layout, class_names, follow_links, tree(layout.training), validation, test).dataset()


def _class_names(layout: Layout, follow_links: bool) -> tuple[str, ...]:
    folders, left_out = class_folders(layout.training, layout.root, follow_links)
    names = tuple(as_text(folder.name) for folder in folders)
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        links = [entry for entry in left_out if "a link out of the folder" in entry]
        away = f"; {len(links):,} left out as links out of the folder: follow them with --follow-links" if links else ""
        table = next((f"; labels in {path.name} are not read" for path in sorted(layout.root.glob("*.csv"))), "")
        raise HangtagError(
            "data_count",
            f"{layout.training} should hold two or more folders, one per class: there is {found}{away}{table}",
        )
    if len(names) > _MOST_CLASSES:
        raise HangtagError(
            "data_count", f"{layout.training} holds {len(names):,} folders: more than {_MOST_CLASSES:,} classes"
        )
    return names


@dataclass(frozen=True)
class _Folder:
    """A folder of images as a data set."""

    layout: Layout
    class_names: tuple[str, ...]
    follow_links: bool
    training: _Tree
    validation: _Tree | None
    test: _Tree | None

    def dataset(self) -> Dataset:
        """Its splits, each read when it is opened."""
        root = self.layout.root
        validation, test = self.validation, self.test or self.validation
        return Dataset(
            as_text(root.resolve().name),
            self.class_names,
            lambda: self._training_half(test=False),
            (lambda: test.read()) if test else (lambda: self._training_half(test=True)),
            str(root) if test else f"{root} (a tenth set apart for the test)",
            validation=None if validation is None else validation.read,
            summary=self.summary,
            files_digest=self.files_digest,
            test_folder=(test or self.training).split,
            photos={
                "training": lambda: self._training_photos(test=False),
                "test": test.photos if test else lambda: self._training_photos(test=True),
                **({} if validation is None else {"validation": validation.photos}),
            },
        )

    def _training_photos(self, test: bool) -> PhotoFiles:
        chosen = None if self.test or self.validation else self._set_apart() == test
        return self.training.photos(chosen, self.layout.left_out)

    def _training_half(self, test: bool) -> Split:
        """What the training folder holds, or the part of it that is kept for training or set apart for the test."""
        chosen = None if self.test or self.validation else self._set_apart() == test
        return self.training.read(chosen, every_class=not test, beside=self.layout.left_out)

    def _set_apart(self) -> NDArray[np.bool_]:
        labels = self.training.labels
        return held_out_of(labels, max(1, len(labels) // 10), TEST_SEED)

    def summary(self) -> FolderSummary:
        """What is known by now, without reading an image."""
        left_out = [*self.layout.left_out]
        for tree in {id(tree): tree for tree in (self.training, self.validation, self.test) if tree}.values():
            left_out += [*tree.listing.left_out, *tree.unreadable.values()]
        whole = len(self.training.readable)
        kept, tests = self.training.readable, len((self.test or self.validation or self.training).readable)
        if not (self.test or self.validation):
            every = zip(self.training.listing.files, self._set_apart(), strict=True)
            apart = {path for (path, _), is_test in every if is_test}
            kept = [file for file in kept if file[0] not in apart]
            tests = whole - len(kept)
        labels = np.array([label for _, label in kept], dtype=np.int64)
        held_out = 0
        if self.validation is None:
            with contextlib.suppress(HangtagError):  # too few to part: training says so
                held_out = int(validation_of_labels(labels).sum())
        counts = np.bincount([label for _, label in self.training.readable], minlength=len(self.class_names))
        return FolderSummary(
            name=as_text(self.layout.root.resolve().name),
            counts={name: int(count) for name, count in zip(self.class_names, counts, strict=True)},
            training=len(kept) - held_out,
            training_from=self._below(self.training),
            validation=len(self.validation.readable) if self.validation else held_out,
            validation_from=self._below(self.validation),
            test=tests,
            test_from=self._below(self.test or self.validation),
            left_out=left_out,
            notes=[*self.layout.notes, *self._notes()],
            follow="" if self.follow_links else "--follow-links",
        )

    def files_digest(self) -> str:
        """SHA-256 over names and sizes of all images: told apart without reading them."""
        state = hashlib.sha256()
        for tree in (self.training, self.validation, self.test):
            if tree is not None:
                for path, label in tree.listing.files:
                    name = path.relative_to(tree.split).as_posix()
                    state.update(as_text(f"{label} {path.stat().st_size} {name}\n").encode())
            state.update(b"\n")
        return state.hexdigest()

    def _below(self, tree: _Tree | None) -> str:
        if tree is None or tree.split == self.layout.root:
            return ""
        return as_text(tree.split.relative_to(self.layout.root).as_posix())

    def _notes(self) -> list[str]:
        notes = []
        alike = [name for name, times in Counter(map(str.casefold, self.class_names)).items() if times > 1]
        if alike:
            both = [name for name in self.class_names if name.casefold() == alike[0]]
            notes.append(f"{' and '.join(both)} are different classes whose names differ in case alone")
        for tree in (self.validation, self.test):
            if tree is None:
                continue
            have = {label for _, label in tree.readable}
            lacking = [name for label, name in enumerate(self.class_names) if label not in have]
            if lacking:
                more = f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else ""
                notes.append(f"{self._below(tree)}/ has no image of {', '.join(lacking[:3])}{more}")
            for folder in tree.listing.strangers:
                notes.append(f"{self._below(tree)}/{as_text(folder.name)} is no class of the training images")
        if self.validation is not None and self.test is None:
            notes.append("no test folder: the validation images serve as the test too")
        return notes


@dataclass(frozen=True)
class _Tree:
    """The class folders of one split, listed when first needed."""

    split: Path
    root: Path
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    convert: Callable[[Path], NDArray[np.uint8]]
    progress: Progress
    follow_links: bool
    unreadable: dict[Path, LeftOut] = field(default_factory=dict)  # those found so far

    @cached_property
    def listing(self) -> Listing:
        """The images, by path."""
        return list_images(self.split, self.root, self.class_names, self.follow_links)

    @property
    def readable(self) -> list[tuple[Path, int]]:
        """The files that are not known to be unreadable, and their labels."""
        return [file for file in self.listing.files if file[0] not in self.unreadable]

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([label for _, label in self._files()], dtype=np.int64)

    def _files(self) -> list[tuple[Path, int]]:
        if self.listing.strangers:
            folder = self.listing.strangers[0]
            raise HangtagError("data_label", f"{folder} is no class of the training images: move it away")
        if not self.listing.files:
            names = self.listing.left_out
            more = f" ({len(names):,} left out, the first: {names[0]})" if names else ""
            raise HangtagError("data_count", f"{self.split} holds no {READ}{more}")
        return self.listing.files

    def photos(self, chosen: NDArray[np.bool_] | None = None, beside: Sequence[LeftOut] = ()) -> PhotoFiles:
        """The files where `chosen` is true, or all, unread."""
        files = self._files()
        rows = np.arange(len(files)) if chosen is None else np.flatnonzero(chosen)
        left_out = (*beside, *self.listing.left_out)
        paths = tuple(files[row][0] for row in rows)
        return PhotoFiles(self.split, paths, self.labels[rows], self.class_names, left_out, self._leave_out)

    def _leave_out(self, path: Path, reason: str) -> LeftOut:
        self.unreadable[path] = LeftOut(path, reason, "unreadable", self.root)
        return self.unreadable[path]

    def read(
        self,
        chosen: NDArray[np.bool_] | None = None,
        every_class: bool = False,
        beside: list[LeftOut] | None = None,
    ) -> Split:
        """The images where `chosen` is true, or all. With `every_class`, none may be left without.

        `beside` lies outside the split and is left out with what lies in it.
        """
        files = self._files()
        if chosen is not None:
            files = [file for file, wanted in zip(files, chosen, strict=True) if wanted]
        images, kept, unreadable = self._decode(files)
        self.unreadable.update(unreadable)
        labels = np.array([files[i][1] for i in kept], dtype=np.int64)
        split = Split(
            images,
            labels,
            self.class_names,
            tuple(files[i][0].relative_to(self.split).as_posix() for i in kept),
            (*(beside or ()), *self.listing.left_out, *unreadable.values()),
        )
        empty = [name for name, count in split.counts().items() if not count]
        if not len(split) or (every_class and empty):
            first = f" ({len(split.skipped)} could not be read, the first: {split.skipped[0]})" if split.skipped else ""
            which = ", ".join(repr(name) for name in empty)
            raise HangtagError(
                "data_count", f"{self.split} has no image of {which}: add some, or remove the folder{first}"
            )
        return split

    def _decode(self, files: list[tuple[Path, int]]) -> tuple[NDArray[np.uint8], list[int], dict[Path, LeftOut]]:
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
                return error.message
            return ""

        kept: list[int] = []
        unreadable: dict[Path, LeftOut] = {}
        pool = ThreadPoolExecutor(decoder.shared().workers)  # as many wait for child processes
        try:
            for i, reason in enumerate(pool.map(one, range(len(files)))):
                if reason:
                    unreadable[files[i][0]] = LeftOut(files[i][0], reason, "unreadable", self.root)
                else:
                    kept.append(i)
                self.progress(f"reading {self.split.name}", i + 1, len(files))
        finally:
            pool.shutdown(cancel_futures=True)
        return (images if len(kept) == len(files) else images[kept]), kept, unreadable
