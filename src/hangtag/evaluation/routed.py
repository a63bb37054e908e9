"""Files of images where the members of a bundle take images of different kinds.

A split holds images of one shape. So its files are read once more, as `recognise` reads them, and each goes to the
member of its kind.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, PhotoFiles, Pictures, Predictor, Probabilities, Split
from hangtag.preprocess import decoder

if TYPE_CHECKING:
    from hangtag.predict.recogniser import Recogniser

BLOCK = 64  # images in memory at once


class RoutedFiles:
    """A Predictor for one split: it predicts the files that the split was read from, in order.

    Args:
        recogniser: of a bundle with members.
        split: whose `sources` lie below `photos.root`; asked about from its first image to its last, once.
        photos: the same files.
    """

    def __init__(self, recogniser: Recogniser, split: Split, photos: PhotoFiles) -> None:
        self.class_names = recogniser.class_names
        self._recogniser = recogniser
        self._files = iter([photos.root / source for source in split.sources])

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, K) float32 of the next N files, whatever `images` shows of them.

        Raises:
            HangtagError: `image_*` for a file that can no longer be read; what the model raises.
        """
        files = [next(self._files) for _ in range(len(images))]
        rows = np.zeros((len(files), len(self.class_names)), np.float32)
        with ThreadPoolExecutor(decoder.shared().workers) as pool:  # as many wait for child processes
            for start in range(0, len(files), BLOCK):
                block = list(pool.map(self._converted, files[start : start + BLOCK]))
                rows[start : start + BLOCK] = self._recogniser.predict_each(block)
        return rows

    def _converted(self, file: Path) -> NDArray[np.uint8]:
        try:
            return self._recogniser.convert_file(file)
        except HangtagError as error:  # it could be read a moment ago
            raise HangtagError(error.code, f"{file}: {error.message}") from error


def routed(predictor: Predictor, dataset: Dataset, which: str, split: Split) -> Predictor:
    """What is to be evaluated on a split: `predictor`, or if it has members and these are files, `RoutedFiles`.

    Args:
        predictor: a `Recogniser` or any other.
        dataset: whose split it is.
        which: "test" or "validation".
        split: N images, or some of them.
    """
    from hangtag.predict.recogniser import Recogniser

    if not isinstance(predictor, Recogniser) or not predictor.card.members or not split.sources:
        return predictor
    photos = _photos_of(dataset, which)
    return predictor if photos is None else RoutedFiles(predictor, split, photos)


def _photos_of(dataset: Dataset, which: str) -> PhotoFiles | None:
    """The files of a split; None where its images are not files of their own."""
    if which == "validation" and which not in dataset.photos:
        which = "training" if dataset.validation is None else "test"  # cut out of these, or both at once
    return dataset.photos[which]() if which in dataset.photos else None
