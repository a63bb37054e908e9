"""Photos of the ten classes and `other`: taken at home, or composed of what is free.

No free collection shows garments on people. So garments are cut out of the photos people took of their clothes
(`data/clothing.py`), laid on other backgrounds and put on drawn people (`data/compose/`); Fashion-MNIST and drawn
garments are rendered in colour, which brings the bags that the photos lack. Nobody whose photos are trained on has any
among the validation images, and these are composed of other Fashion-MNIST images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hangtag.core.optional import require
from hangtag.core.types import Dataset, Split
from hangtag.data.sets import Progress, register
from hangtag.data.sets.fashion_mnist import CLASS_NAMES
from hangtag.preprocess.decode import Picture
from hangtag.preprocess.photo import convert

NAMES = (*CLASS_NAMES, "other")
TRAINING_IMAGES = 24_000
VALIDATION_IMAGES_OF_A_KIND = 40  # of each class
_TRAINING_SEED, _VALIDATION_SEED = 0, 991


@register(
    "photos10",
    source="Photos of clothes by 343 people (Alexey Grigorev’s clothing dataset, CC0 1.0), Fashion-MNIST (Zalando "
    "Research, MIT), and garments, people and scenes drawn by Hangtag.",
    licence="CC0 1.0, MIT.",
    limits=(
        "Garments on people were composed: no photo of a person was trained on.",
        "Bags come from Fashion-MNIST and drawings, coloured: no photo of a bag was trained on.",
    ),
)
def photos10(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """24,000 images composed for training; photos and composed images of other senders for validation.

    Args:
        path: a folder that holds `clothing-small/`, `clothing-more/` and `fashion-mnist/`; None: `HANGTAG_DATA`, else
            the cache, which downloads fill.
        size, colour: pixels along a side; grey is made of the colours.
        progress: told while photos are fetched, cut out and composed.
    """
    require("cv2", extra="photos10")
    from hangtag.data.compose.composer import Composer

    def split(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Split:
        if (size, colour) != (images.shape[1], True):
            images = np.stack([convert(Picture(image), size, colour) for image in images])
        return Split(images, labels, NAMES)

    def training() -> Split:
        return split(*Composer.opened(path, False, progress).compose(TRAINING_IMAGES, _TRAINING_SEED, progress))

    def validation() -> Split:
        composer = Composer.opened(path, True, progress)
        return split(*composer.held_out(VALIDATION_IMAGES_OF_A_KIND, _VALIDATION_SEED, progress))

    return Dataset("photos10", NAMES, training, validation, "composed by hangtag", validation=validation)
