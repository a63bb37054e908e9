"""Counts from which accuracy, precision, recall and F1 follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hangtag.core.types import Labels, Probabilities


def check(probabilities: Probabilities, labels: Labels) -> None:
    """Refuse what no metric can be taken of.

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not len(labels):
        raise ValueError(f"want (N, K) and (N,) with N > 0, got {probabilities.shape} and {labels.shape}")
    if labels.min() < 0 or labels.max() >= probabilities.shape[1]:
        raise ValueError(f"want labels in [0, {probabilities.shape[1]}), got {labels.min()} to {labels.max()}")


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> NDArray[np.int64]:
    """(K, K) counts: rows are true classes, columns predicted ones. A tie goes to the first class.

    Raises:
        ValueError: as `check` does.
    """
    check(probabilities, labels)
    k = probabilities.shape[1]
    cells = labels * k + probabilities.argmax(axis=1)
    return np.bincount(cells, minlength=k * k).reshape(k, k).astype(np.int64)


def precision_of(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) share of the pictures called a class that are of it; 0 where nothing was called so."""
    return _share(confusion.diagonal(), confusion.sum(axis=0))


def recall_of(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) share of a class's pictures that were called so; 0 where the class has none."""
    return _share(confusion.diagonal(), confusion.sum(axis=1))


def f1_of(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) harmonic mean of precision and recall; 0 where both are."""
    return _share(2 * confusion.diagonal(), confusion.sum(axis=0) + confusion.sum(axis=1))


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
