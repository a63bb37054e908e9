"""How often a model is right where it is sure: accuracy against coverage, on held-out images."""

from __future__ import annotations

from typing import Any

import numpy as np

from hangtag.core.types import Labels, Probabilities

FEWEST = 50  # images; fewer say nothing about the two in a hundred that are wrong
POINTS = 50  # of the curve that a card keeps


def decision_record(probabilities: Probabilities, labels: Labels, data: str) -> dict[str, Any]:
    """What a card keeps for `core.decision`; empty for fewer than 50 images.

    The accuracy of each point is that of the images at or above its threshold, as a Wilson bound of one standard error
    below what was counted: few images prove little.

    Args:
        probabilities: (N, K) of held-out images.
        labels: (N,) their classes.
        data: what they are called.

    Returns:
        `{"n", "data", "curve": [[threshold, coverage, accuracy], ...]}`, thresholds falling.
    """
    if len(labels) < FEWEST:
        return {}
    confidence = probabilities.max(axis=1).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    counts = np.arange(1, len(labels) + 1)
    bound = _wilson(right.cumsum() / counts, counts)[_LEAST:]
    confidence, counts = confidence[order][_LEAST:], counts[_LEAST:]
    last = np.append(confidence[1:] != confidence[:-1], True)  # of images that are equally sure, all or none
    kept = np.flatnonzero(last)
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, POINTS).round().astype(int))]
    curve = [[_down(confidence[i]), round(counts[i] / len(labels), 4), round(float(bound[i]), 4)] for i in kept]
    return {"n": len(labels), "data": data, "curve": curve}


_LEAST = 19  # a curve begins with the 20 surest images: one of fewer says nothing


def _wilson(share: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Wilson 1927, with z = 1: the lower end of the interval."""
    middle = (share + 1 / (2 * n)) / (1 + 1 / n)
    spread = np.sqrt(share * (1 - share) / n + 1 / (4 * n**2)) / (1 + 1 / n)
    found: np.ndarray = middle - spread
    return found


def _down(value: float) -> float:
    """Six digits, rounded down: the image it was taken from is at or above it."""
    return float(np.floor(value * 1e6) / 1e6)
