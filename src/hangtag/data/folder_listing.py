"""The images below class folders, each folder once; what is passed by is named (faults E8).

Links are followed to places inside the folder that was named; out of it only on request. Folders come before links to
them, so that a folder reached in two ways belongs to the class it lies in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hangtag.core.errors import HangtagError
from hangtag.core.folder_summary import LeftOut
from hangtag.core.printable import as_text
from hangtag.data.folder_layout import (
    folders_in,
    hidden_folder,
    is_archive_note,
    is_hidden,
    is_image,
    is_inside,
    left_out_file,
)


def class_folders(split: Path, root: Path, follow_links: bool) -> tuple[list[Path], list[LeftOut]]:
    """The class folders of a split in order of name, and what lies beside them.

    Args:
        split: the folder that holds them.
        root: the folder that was named, out of which no link is followed unless `follow_links`.
        follow_links: whether links may lead out of it.
    """
    inside, found, left_out = root.resolve(), list[Path](), list[LeftOut]()
    maybe = set(folders_in(split))
    for path in sorted(split.iterdir(), key=lambda path: path.name):
        if is_hidden(path.name):
            left_out += hidden_folder(path, root)
            continue
        if path.is_symlink() and not is_inside(path, inside) and not (follow_links and path.exists()):
            left_out.append(_astray(path, root))
        elif path in maybe and path.is_dir():
            found.append(path)
        elif path.is_dir():
            left_out.append(LeftOut(path, "a folder of a Mac's archive", "folder", root))
        else:
            left_out.append(left_out_file(path, root))
    return found, left_out


@dataclass
class Listing:
    """The images of a split.

    Args:
        files: with their labels, class by class in order of path.
        left_out: what was passed by.
        strangers: class folders that are no class of the training images.
    """

    files: list[tuple[Path, int]]
    left_out: list[LeftOut]
    strangers: list[Path]


def list_images(split: Path, root: Path, class_names: tuple[str, ...], follow_links: bool) -> Listing:
    """Every image below the class folders of `split`.

    Args:
        split, root, follow_links: as for `class_folders`.
        class_names: K names, in label order.

    Raises:
        HangtagError: `data_unreadable`.
    """
    try:
        folders, left_out = class_folders(split, root, follow_links)
        of_class = {folder: label for folder in folders if (label := _class_of(folder, class_names)) is not None}
        images = _Walk(root, follow_links, left_out).below(list(of_class))
    except OSError as error:
        raise HangtagError("data_unreadable", f"{error.filename or split} cannot be read: {error.strerror}") from error
    files = [(path, label) for folder, label in of_class.items() for path in sorted(images[folder])]
    return Listing(files, left_out, [folder for folder in folders if folder not in of_class])


def _class_of(folder: Path, class_names: tuple[str, ...]) -> int | None:
    """The label of a class folder: that of its name, or of the one name that differs in case alone."""
    name = as_text(folder.name)
    if name in class_names:
        return class_names.index(name)
    alike = [label for label, known in enumerate(class_names) if known.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


class _Walk:
    def __init__(self, root: Path, follow_links: bool, left_out: list[LeftOut]) -> None:
        self._root, self._inside, self._follow, self._left_out = root, root.resolve(), follow_links, left_out
        self._seen: set[Path] = set()
        self._links: list[tuple[Path, Path]] = []  # (class folder, link to a folder)

    def below(self, folders: list[Path]) -> dict[Path, list[Path]]:
        """The images of each class folder."""
        images: dict[Path, list[Path]] = {folder: [] for folder in folders}
        for folder in folders:
            if folder.is_symlink():
                self._links.append((folder, folder))
            else:
                self._read(folder, folder, images[folder])
        while self._links:
            owner, link = self._links.pop(0)
            real = link.resolve()
            above = any(place.is_relative_to(real) for place in (self._inside, link.parent.resolve()))
            if real in self._seen or above:
                self._left_out.append(LeftOut(link, "a link to a folder read already", "link", self._root))
            else:
                self._read(owner, link, images[owner])
        return images

    def _read(self, owner: Path, start: Path, images: list[Path]) -> None:
        waiting = [start]
        while waiting:
            here = waiting.pop()
            real = here.resolve()
            if real in self._seen:
                self._left_out.append(LeftOut(here, "a folder read already", "folder", self._root))
                continue
            self._seen.add(real)
            for path in sorted(here.iterdir()):
                if is_hidden(path.name):
                    self._left_out += hidden_folder(path, self._root)
                    continue
                if path.is_symlink() and not is_inside(path, self._inside) and not (self._follow and path.exists()):
                    self._left_out.append(_astray(path, self._root))
                elif path.is_symlink() and path.is_dir():
                    self._links.append((owner, path))
                elif path.is_dir() and is_archive_note(path.name):
                    self._left_out.append(LeftOut(path, "a folder of a Mac's archive", "folder", self._root))
                elif path.is_dir():
                    waiting.append(path)
                elif is_image(path) and path.is_file():
                    images.append(path)
                else:
                    self._left_out.append(left_out_file(path, self._root))


def _astray(link: Path, root: Path) -> LeftOut:
    return LeftOut(link, f"a link {'out of the folder' if link.exists() else 'to nothing'}", "link", root)
