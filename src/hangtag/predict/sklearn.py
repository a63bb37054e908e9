"""A scikit-learn estimator as a Predictor."""

from __future__ import annotations

from typing import Any

import numpy as np

from hangtag.classical import features
from hangtag.core.types import Pictures, Probabilities


class SklearnPredictor:
    """See `hangtag.core.types.Predictor`.

    Args:
        estimator: fitted to `hangtag.classical.features`, with labels 0..K-1 and `predict_proba`.
        class_names: K names.
    """

    def __init__(self, estimator: Any, class_names: tuple[str, ...]) -> None:
        self._estimator = estimator
        self._class_names = class_names

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names, in the order of the columns."""
        return self._class_names

    def predict_proba(self, images: Pictures) -> Probabilities:
        """(N, H, W) or (N, H, W, 3) uint8 -> (N, K) float32."""
        if not len(images):  # scikit-learn refuses to judge nothing
            return np.zeros((0, len(self.class_names)), np.float32)
        probabilities: Probabilities = self._estimator.predict_proba(features(images)).astype(np.float32)
        return probabilities
