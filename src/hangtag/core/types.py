"""The nouns: Split, Dataset, Predictor. Everything between files on disk and labels on a page speaks in these."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hangtag.core.folder_summary import FolderSummary

Pictures: TypeAlias = NDArray[np.uint8]
"""(N, H, W) grey or (N, H, W, 3) RGB, 0..255."""
Labels: TypeAlias = NDArray[np.int64]
"""(N,), each in [0, K)."""
Probabilities: TypeAlias = NDArray[np.float32]
"""(N, K), rows sum to 1."""


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled pictures.

    Args:
        images: (N, H, W) or (N, H, W, 3) uint8.
        labels: (N,) int64 in [0, K).
        class_names: K names, in label order.
        sources: where each picture came from (a path or `file#index`), or empty.
        skipped: what could not be read and is not among the pictures, as `path: reason` (core.folder_summary.LeftOut).
    """

    images: Pictures
    labels: Labels
    class_names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Reject shapes and types that would otherwise surface far away."""
        assert self.images.dtype == np.uint8, self.images.dtype
        assert self.images.ndim == 3 or (self.images.ndim == 4 and self.images.shape[3] == 3), self.images.shape
        assert self.labels.dtype == np.int64, self.labels.dtype
        assert self.labels.shape == self.images.shape[:1], (self.labels.shape, self.images.shape)
        assert not self.sources or len(self.sources) == len(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Split of {len(self):,} pictures {self.images.shape[1:]}, {len(self.class_names)} classes>"

    def take(self, indices: NDArray[Any]) -> Split:
        """The pictures at `indices`, in that order."""
        sources = tuple(self.sources[i] for i in indices) if self.sources else ()
        return replace(self, images=self.images[indices], labels=self.labels[indices], sources=sources)

    def counts(self) -> dict[str, int]:
        """How many pictures each class has."""
        numbers = np.bincount(self.labels, minlength=len(self.class_names))
        return {name: int(n) for name, n in zip(self.class_names, numbers, strict=True)}

    def digest(self) -> str:
        """SHA-256 over shape, pixels, labels and class names: equal digests mean equal data."""
        state = hashlib.sha256(repr((self.images.shape, self.class_names)).encode())
        state.update(np.ascontiguousarray(self.images).data)
        state.update(np.ascontiguousarray(self.labels).data)
        return state.hexdigest()


@dataclass(frozen=True, eq=False)
class PhotoFiles:
    """The files of one split of a folder of photos, not yet read.

    Args:
        root: the folder that a Split's `sources` are relative to.
        files: N paths.
        labels: (N,) int64 in [0, K).
        class_names: K names, in label order.
        skipped: what was left out already, as `path: reason`.
        leave_out: is told of a file that cannot be read and why; its line for `Split.skipped` comes back.
    """

    root: Path
    files: tuple[Path, ...]
    labels: Labels
    class_names: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    leave_out: Callable[[Path, str], str] = "{}: {}".format


@dataclass(frozen=True)
class Dataset:
    """A named data set whose two halves are opened apart: what trains never even opens the test pictures.

    Args:
        name: its name, e.g. "fashion-mnist".
        class_names: K names, in label order.
        training: opens the pictures that may be learnt from; validation is cut out of these.
        test: opens the pictures that are only ever judged.
        origin: where it was found, for people.
        files: the few files it is made of, if so; calling one's entry reads and checks it.
        validation: opens the images of a validation folder, where there is one; else validation is cut out of the
            training images (`data.split.training_and_validation`).
        summary: how a folder was read, as far as it has been; None for a set that is no folder of images.
        place: what to give as `--data` to find it again; empty if its name is enough.
        files_digest: tells whether a folder is as it was, by the names and sizes of its images.
        test_folder: where the `sources` of the test images begin, if they have any.
        photos: lists the files of "training", "test" and perhaps "validation", where every image has its own.
    """

    name: str
    class_names: tuple[str, ...]
    training: Callable[[], Split]
    test: Callable[[], Split]
    origin: str = ""
    files: Mapping[Path, Callable[[], Any]] = field(default_factory=dict)
    validation: Callable[[], Split] | None = None
    summary: Callable[[], FolderSummary] | None = None
    place: str = ""
    files_digest: Callable[[], str] | None = None
    test_folder: Path | None = None
    photos: Mapping[str, Callable[[], PhotoFiles]] = field(default_factory=dict)

    @property
    def test_is_validation(self) -> bool:
        """Whether the validation images serve as the test too."""
        return self.summary is not None and self.summary().test_is_validation


@runtime_checkable
class Predictor(Protocol):
    """The seam: whatever turns pictures into probabilities. It owns its preprocessing."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        ...

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 of the model's own size -> (N, K) float32."""
        ...
