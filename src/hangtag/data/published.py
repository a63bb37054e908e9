"""Data sets the world knows by hash: a file is what it claims only if its hash or its content's says so, every time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError, writing_to
from hangtag.core.files import owning, read_regular, sweep, sync_folder
from hangtag.core.types import Dataset, Split
from hangtag.data import download, idx
from hangtag.data.fingerprints import OWNER_OF_MD5, md5_of
from hangtag.data.places import idx_file

Values: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class PublishedFile:
    """A gzipped IDX file as its authors published it.

    Args:
        name: file name, the same on every mirror.
        bytes: size of the gzipped file.
        sha256, md5: hex digests of the gzipped file.
        shape: what it unpacks to, e.g. (60000, 28, 28).
        content_sha256: hex digest of the unpacked file; where it is known, the user's own copy may be unpacked, or
            gzipped anew.
    """

    name: str
    bytes: int
    sha256: str
    md5: str
    shape: tuple[int, ...]
    content_sha256: str = ""

    def lies_in(self, folder: Path) -> Path:
        """The file in `folder`: as it was published, or else unpacked."""
        stem = self.name.removesuffix(".gz")
        return idx_file(folder, stem, (".gz", "") if self.content_sha256 else (".gz",))

    @property
    def most_bytes(self) -> int:
        """How long a file may be that holds this: gzip adds less than a thousandth to what it cannot pack."""
        unpacked = 4 + 4 * len(self.shape) + math.prod(self.shape)
        return max(self.bytes, unpacked + unpacked // 1000 + 1024) if self.content_sha256 else self.bytes


@dataclass(frozen=True)
class Published:
    """A data set of four such files, and where to get them.

    Args:
        name: the data set's name, and the name of its folder.
        class_names: K names in label order; every class is equally frequent in both halves.
        training, test: (pictures, labels) each.
        mirrors: URLs of folders that hold the files, the most trusted first.
    """

    name: str
    class_names: tuple[str, ...]
    training: tuple[PublishedFile, PublishedFile]
    test: tuple[PublishedFile, PublishedFile]
    mirrors: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """All four."""
        return (*self.training, *self.test)


def open_folder(published: Published, folder: Path) -> Dataset:
    """The set in a folder of the user's, which is only ever read. Each file is checked whenever it is opened.

    Opening a half raises:
        HangtagError: `data_not_found`, `data_truncated`, `data_not_gzip`, `data_hash` or `data_unreadable`.
    """

    def read(file: PublishedFile) -> Values:
        return verify(published, file, file.lies_in(folder))

    return _dataset(published, folder, read, f"{folder}")


def open_cache(published: Published, folder: Path, progress: download.Progress) -> Dataset:
    """The set in the cache: a missing file is fetched when opened, a bad one set aside (`.bad`) and fetched again.

    Safe with any number of processes: files appear whole, and the lock only saves them all from fetching the same.

    Opening a half raises:
        HangtagError: `data_offline` (what was tried, and the cures), `storage_*`, or what is wrong with what the
            mirrors sent.
    """

    def read(file: PublishedFile) -> Values:
        path = file.lies_in(folder)
        with contextlib.suppress(HangtagError):
            return verify(published, file, path)
        busy = f"another process has been filling {folder} for very long: stop it, or try again later"
        with owning(folder, "data_busy", busy, wait_s=2 * download.PATIENCE.total_s):
            sweep(folder)
            try:
                return verify(published, file, path)  # the process we waited for has fetched it
            except HangtagError as error:
                if error.code != "data_not_found":
                    with writing_to(path):
                        path.replace(path.with_name(f"{path.name}.bad"))
                        sync_folder(folder)
            path = folder / file.name

            def accept(content: bytes) -> None:
                check(published, file, content, file.name)

            download.fetch(path, file.bytes, download.mirrors(published.mirrors), accept, progress)
            return verify(published, file, path)

    return _dataset(published, folder, read, f"{folder} (cache)")


def verify(published: Published, file: PublishedFile, path: Path) -> Values:
    """Read one file, check it against its published size and hashes, or those of its content, unpack it.

    Raises:
        HangtagError: `data_not_found`, `data_unreadable`, or as `check`.
    """
    try:
        content = read_regular(path, file.most_bytes + 1)  # what is hashed is what is unpacked, and no more than that
    except FileNotFoundError as error:
        raise HangtagError("data_not_found", f"{path} is missing: get it with `hangtag data fetch`") from error
    except OSError as error:
        raise HangtagError("data_unreadable", f"cannot read {path}: {error.strerror or error}") from error
    try:
        check(published, file, content, str(path))
    except HangtagError:
        if (values := _same_content(file, content)) is None:
            raise
        return values
    return idx.decode(content, file.shape, str(path))


def _same_content(file: PublishedFile, content: bytes) -> Values | None:
    """What the user's own copy holds, if it unpacks to the published content."""
    if not file.content_sha256:
        return None
    try:
        values = idx.decode(content, file.shape, file.name)
    except HangtagError:
        return None
    return values if hashlib.sha256(idx.encode(values)).hexdigest() == file.content_sha256 else None


def check(published: Published, file: PublishedFile, content: bytes, where: str) -> None:
    """Refuse bytes that are not the published file, saying what they are instead.

    Raises:
        HangtagError: `data_truncated`, `data_not_gzip` or `data_hash`.
    """
    with ThreadPoolExecutor(1) as other:  # hashing lets go of the interpreter: both digests in the time of the slower
        second = other.submit(md5_of, content)
        sha256, md5 = hashlib.sha256(content).hexdigest(), second.result()
    if (len(content), sha256, md5) == (file.bytes, file.sha256, file.md5):
        return
    owner = OWNER_OF_MD5.get(md5, published.name)
    if owner != published.name:
        reason = f"{where} belongs to {owner}, not {published.name}: say so with --data {owner}={Path(where).parent}"
        raise HangtagError("data_hash", reason)
    if idx.is_page(content):
        raise HangtagError("data_not_gzip", f"{where} is a web page, not data: did a login page answer in its place?")
    unpacked = bool(file.content_sha256) and content.startswith(idx.MAGIC)
    if not unpacked and not content.startswith(idx.GZIP_MAGIC[: len(content)]):
        raise HangtagError(
            "data_not_gzip",
            f"{where} is not gzipped, nor the unpacked IDX file: get {published.name}'s published .gz files",
        )
    try:
        idx.decode(content, file.shape, where)  # bounded by the shape; only to tell a cut-off file from another file
    except HangtagError as error:
        if unpacked:
            raise
        if error.code == "data_truncated" and len(content) < file.bytes:
            size = f"{len(content):,} of {file.bytes:,} bytes"
            raise HangtagError("data_truncated", f"{where} is cut off: {size}. Get it again") from error
    wanted = file.content_sha256 if unpacked else file.sha256
    raise HangtagError(
        "data_hash",
        f"{where} is not {published.name}'s published file (SHA-256 {sha256[:12]}..., not {wanted[:12]}...): "
        "get it again, or name the set it belongs to, as in --data mnist=PATH",
    )


def _dataset(published: Published, folder: Path, read: Callable[[PublishedFile], Values], origin: str) -> Dataset:
    def half(files: tuple[PublishedFile, PublishedFile]) -> Callable[[], Split]:
        def opened() -> Split:
            images, labels = (read(file) for file in files)
            split = Split(images, labels.astype(np.int64), published.class_names)
            _check_counts(split, str(folder / files[1].name))
            return split

        return opened

    return Dataset(
        published.name,
        published.class_names,
        half(published.training),
        half(published.test),
        origin,
        {file.lies_in(folder): functools.partial(read, file) for file in published.files},
    )


def _check_counts(split: Split, where: str) -> None:
    if split.labels.max() >= len(split.class_names):
        raise HangtagError(
            "data_label", f"{where} holds label {split.labels.max()}: there are {len(split.class_names)} classes"
        )
    if len(set(split.counts().values())) != 1:
        raise HangtagError("data_count", f"{where} should hold each class equally often, but holds {split.counts()}")
