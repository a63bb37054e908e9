"""How much images look like any of the classes, where a model says so: not every predictor does."""

from __future__ import annotations

from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hangtag.core.types import Pictures, Predictor, Probabilities

Known: TypeAlias = NDArray[np.float32] | None
"""(N,) in [0, 1], 1 for what surely shows one of the classes; None of a model that does not say."""


@runtime_checkable
class KnownPredictor(Protocol):
    """A `Predictor` that may say both."""

    def predict_known(self, images: Pictures) -> tuple[Probabilities, Known]:
        """(N, H, W) or (N, H, W, 3) uint8 of the model's own size -> (N, K) float32 and (N,) float32 or None."""
        ...


def predict_known(predictor: Predictor, images: Pictures) -> tuple[Probabilities, Known]:
    """Probabilities of N images, and how known each is; of one run where the model says both."""
    if isinstance(predictor, KnownPredictor):
        return predictor.predict_known(images)
    return predictor.predict_proba(images), None
