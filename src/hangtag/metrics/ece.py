"""Expected calibration error: how far stated confidence lies from observed accuracy.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, eq. 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import check


@register("ece", higher_is_better=False)
def expected_calibration_error(probabilities: Probabilities, labels: Labels, num_bins: int = 15) -> float:
    """Average distance between stated confidence and observed accuracy.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).
        num_bins: equal-width confidence bins over (0, 1]; empty bins count nothing.

    Returns:
        A fraction in [0, 1]: 0.02 is "two points off on average". Lower is better.

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    check(probabilities, labels)
    return calibration_gap(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, num_bins)


def calibration_gap(confidence: NDArray[np.floating[Any]], correct: NDArray[np.bool_], num_bins: int = 15) -> float:
    """The same of N > 0 predictions: (N,) confidences in [0, 1], and (N,) whether each was right."""
    confidence = confidence.astype(np.float64)
    bin_of = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    return float(np.abs(np.bincount(bin_of, confidence - correct)).sum() / len(confidence))
