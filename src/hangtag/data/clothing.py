"""Photos people took of their own clothes at home: 4,407 of them, CC0, with who took each.

Source: Alexey Grigorev, "Clothing dataset", github.com/alexeygrigorev/clothing-dataset, CC0 1.0. `clothing.csv` lists
the photos that may be trained on, with label, sender and SHA-256 as published; `shoes.csv` has kinds of shoe, labelled
by eye for Hangtag. Photos of one sender share garments, rooms and cameras: a random split overstates accuracy by about
five points, so whatever is held out is held out by sender.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hangtag.core.errors import HangtagError, writing_to
from hangtag.core.paths import cache_folder
from hangtag.data import download
from hangtag.data.places import find_folder
from hangtag.data.sets.fashion_mnist import CLASS_NAMES

OTHER = len(CLASS_NAMES)
"""The label of what is none of Fashion-MNIST's classes."""
_LABELS = {
    "T-Shirt": "T-shirt/top",
    "Polo": "T-shirt/top",
    "Undershirt": "T-shirt/top",
    "Top": "T-shirt/top",
    "Pants": "Trouser",
    "Longsleeve": "Pullover",
    "Hoodie": "Pullover",
    "Dress": "Dress",
    "Outwear": "Coat",
    "Blazer": "Coat",
    "Shirt": "Shirt",
    "Blouse": "Shirt",
}
_OTHERS = ("Hat", "Shorts", "Skirt", "Other")
_FOLDER = "clothing-small"
_MOST_BYTES = 20_000_000
_RAW = "https://raw.githubusercontent.com/{repository}/{commit}/{file}"


@dataclass(frozen=True)
class ClothingPhoto:
    """A photo of the list.

    Args:
        path: where it lies below the folder of the collection.
        label: 0 to 9 as in Fashion-MNIST, or `OTHER`.
        sender: who took it, a number.
        source: `repository@commit:file` on GitHub.
        sha256: of the file there.
    """

    path: str
    label: int
    sender: int
    source: str
    sha256: str

    @property
    def url(self) -> str:
        """Where it is published."""
        repository, _, rest = self.source.partition("@")
        commit, _, file = rest.partition(":")
        return _RAW.format(repository=repository, commit=commit, file=file)


def listed() -> tuple[ClothingPhoto, ...]:
    """The photos that show one of Fashion-MNIST's classes or a garment that is none: 4,000, in the list's order.

    Left out: bodies, "not sure" and "skip", and shoes of no known kind.
    """
    return tuple(_labelled())


def _labelled() -> Iterator[ClothingPhoto]:
    shoes = {row["path"]: row["label"] for row in _rows("shoes.csv")}
    for row in _rows("clothing.csv"):
        name = shoes.get(row["path"], _LABELS.get(row["label"]))
        if name is None and row["label"] not in _OTHERS:
            continue
        label = OTHER if name is None else CLASS_NAMES.index(name)
        yield ClothingPhoto(row["path"], label, int(row["sender"]), row["source"], row["sha256"])


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files("hangtag.data") / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def located(path: Path | None, progress: download.Progress) -> Path:
    """The folder that holds the photos as `ClothingPhoto.path` says, downloaded into the cache if need be.

    Args:
        path: a folder that holds `clothing-small/`, or None: `HANGTAG_DATA`, else the cache.
        progress: told about each photo fetched.

    Raises:
        HangtagError: `data_not_found` for a folder that was named and lacks it; `data_offline`, `data_hash`,
            `storage_*` from downloading.
    """
    folder, cached = find_folder(_FOLDER, path)
    if not cached:
        return folder.parent
    root = cache_folder() / "data" / "clothing"
    photos = listed()
    for i, photo in enumerate(photos):
        _fetched(photo, root)
        progress("fetching photos", i + 1, len(photos))
    return root


def _fetched(photo: ClothingPhoto, root: Path) -> None:
    target = root / photo.path
    if target.exists():
        return

    def accept(content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != photo.sha256:
            raise HangtagError("data_hash", f"{photo.url} is not the file that was published: its SHA-256 differs")

    with writing_to(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    folder = photo.url.rpartition("/")[0]
    download.fetch(target, _MOST_BYTES, download.mirrors((folder,)), accept, lambda what, done, total: None)
