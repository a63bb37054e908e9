"""How often a model is right where it is sure: accuracy against coverage, on held-out images."""

from __future__ import annotations

from typing import Any

import numpy as np

from hangtag.core.types import Labels, Probabilities
from hangtag.evaluation.evaluation import wilson_interval

FEWEST = 50  # images; fewer say nothing about the two in a hundred that are wrong
POINTS = 50  # of the curve that a card keeps
SUREST = 20  # images it begins with: one of fewer says nothing


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
    confidence, hits = confidence[order], (probabilities.argmax(axis=1) == labels)[order].cumsum()
    last = np.append(confidence[1:] != confidence[:-1], True)  # of images that are equally sure, all or none
    counts = np.flatnonzero(last) + 1
    counts = counts[counts >= SUREST]
    counts = counts[np.unique(np.linspace(0, len(counts) - 1, POINTS).round().astype(int))]
    curve = []
    for n in counts.tolist():
        bound, _ = wilson_interval(int(hits[n - 1]), n, z=1)
        curve.append([_down(confidence[n - 1]), round(n / len(labels), 4), round(bound, 4)])
    return {"n": len(labels), "data": data, "curve": curve}


def _down(value: float) -> float:
    """Six digits, rounded down: the image it was taken from is at or above it."""
    return float(np.floor(value * 1e6) / 1e6)
