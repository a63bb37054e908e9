"""Cover a patch, ask again: the more the answer changes, the more the model relies on what was there.

Source: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", arXiv:1311.2901, section 4.2.
It needs answers only, so it serves every kind of model, and cannot show the picture's own edges in place of the
model's reasons, as some gradient methods do (Adebayo et al. 2018, arXiv:1810.03292).
Departures: patches are covered with the picture's own background; what is measured is the balance between two classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hangtag.core.types import Labels, Pictures, Predictor

METHOD = "occlusion: patches a quarter of the picture wide are covered one after the other (Zeiler and Fergus 2014)"
PLACES = 5  # of the patch along each axis: 25 questions per picture
_LEAST = 1e-6


class Occlusion:
    """See `hangtag.report.saliency.Explainer`.

    Args:
        predictor: asked 26 times per picture at most.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def __call__(self, images: Pictures, said: Labels, true: Labels) -> NDArray[np.float32]:
        """(N, H, W): mean, over the patches that cover a pixel, of the change of ln p(said) - ln p(true)."""
        n, height, width = images.shape[:3]
        sides = max(2, round(height / 4)), max(2, round(width / 4))
        tops, lefts = (
            np.unique(np.linspace(0, side - patch, PLACES).round().astype(int))
            for side, patch in zip((height, width), sides, strict=True)
        )
        before = self._balance(images, said, true)
        total, covered = np.zeros((n, height, width)), np.zeros((height, width))
        background = np.median(images[:, [0, 0, -1, -1], [0, -1, 0, -1]], axis=1).astype(np.uint8)  # (N,) or (N, 3)
        for top in tops:
            for left in lefts:
                patch = (slice(top, top + sides[0]), slice(left, left + sides[1]))
                hidden = images.copy()
                hidden[:, *patch] = background[:, None, None]
                asked = (hidden != images).any(axis=tuple(range(1, images.ndim)))  # not where background hides itself
                change = np.zeros(n)
                if asked.any():
                    after = self._balance(hidden[asked], said[asked], true[asked])
                    change[asked] = np.abs(after - before[asked])
                total[:, *patch] += change[:, None, None]
                covered[patch] += 1
        maps: NDArray[np.float32] = (total / np.maximum(covered, 1)).astype(np.float32)
        return maps

    def _balance(self, images: Pictures, said: Labels, true: Labels) -> NDArray[np.float64]:
        logs = np.log(self._predictor.predict_proba(images).astype(np.float64).clip(_LEAST))
        rows = np.arange(len(images))
        balance: NDArray[np.float64] = logs[rows, said] - logs[rows, true]
        return balance
