"""MNIST's cousins in a folder of the user's: any well-formed IDX files by MNIST's names, gzipped or plain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular
from hangtag.core.types import Dataset, Split
from hangtag.data import idx
from hangtag.data.fingerprints import OWNER_OF_MD5, md5_of
from hangtag.data.places import find_folder, idx_file

_MOST_BYTES = 1 << 28


def open_idx_folder(name: str, class_names: tuple[str, ...], path: Path | None) -> Dataset:
    """The set in `path`, else in `HANGTAG_DATA`, else in the cache, where the user may put it; it is never downloaded.

    Raises:
        HangtagError: `data_not_found`. Opening a half: `data_truncated`, `data_not_gzip`, `data_format`, `data_count`,
            `data_label`, or `data_hash` if the files are Fashion-MNIST's.
    """
    folder, cached = find_folder(name, path)
    if cached and not folder.is_dir():
        raise HangtagError(
            "data_not_found", f"{name} is not downloaded: get its four files and say --data {name}=FOLDER"
        )

    def read(stem: str, shape: tuple[int | None, ...]) -> NDArray[np.uint8]:
        return idx.decode(_content(name, _file(folder, stem)), shape, str(_file(folder, stem)))

    def half(part: str) -> Callable[[], Split]:
        def opened() -> Split:
            images = read(f"{part}-images-idx3-ubyte", (None, 28, 28))
            labels = read(f"{part}-labels-idx1-ubyte", (None,))
            if len(images) != len(labels):
                raise HangtagError(
                    "data_count", f"{folder} holds {len(images):,} {part} pictures but {len(labels):,} labels"
                )
            if labels.max() >= len(class_names):
                raise HangtagError(
                    "data_label", f"{folder} has a {part} label {labels.max()}: {name} has {len(class_names)} classes"
                )
            return Split(images, labels.astype(np.int64), class_names)

        return opened

    files = {
        _file(folder, f"{part}-{kind}-ubyte"): lambda stem=f"{part}-{kind}-ubyte", shape=shape: read(stem, shape)
        for part in ("train", "t10k")
        for kind, shape in (("images-idx3", (None, 28, 28)), ("labels-idx1", (None,)))
    }
    return Dataset(name, class_names, half("train"), half("t10k"), str(folder), files)


def _file(folder: Path, stem: str) -> Path:
    found = idx_file(folder, stem, ("", ".gz"))
    return found if found.is_file() else folder / f"{stem}.gz"


def _content(name: str, path: Path) -> bytes:
    try:
        content = read_regular(path, _MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise HangtagError("data_format", f"{path} is larger than any {name} file ({_MOST_BYTES:,} bytes)")
    except FileNotFoundError as error:
        raise HangtagError("data_not_found", f"{path} is missing") from error
    except OSError as error:
        raise HangtagError("data_unreadable", f"cannot read {path}: {error.strerror or error}") from error
    owner = OWNER_OF_MD5.get(md5_of(content), name)
    if owner != name:
        raise HangtagError(
            "data_hash", f"{path} belongs to {owner}, not {name}: say so with --data {owner}={path.parent}"
        )
    return content
