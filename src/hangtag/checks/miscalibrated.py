"""HT003: its confidence is not the share it gets right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hangtag.checks import Evidence, Finding, Severity, register

LIMIT, GRAVE = 0.05, 0.10  # expected calibration error
BINS = 15  # as `metrics.ece` has


@register("miscalibrated", code="HT003")
def miscalibrated(evidence: Evidence) -> Finding | None:
    """Expected calibration error on the test pictures, beyond twice what perfect confidence would show by chance."""
    error = evidence.evaluation.scores["ece"]
    confidence = evidence.probabilities.max(axis=1).astype(np.float64)
    mean = float(confidence.mean())
    beyond_chance = error > 2 * _by_chance(confidence)
    severity: Severity = "serious" if error >= GRAVE else "warning" if error >= LIMIT else "good"
    if not beyond_chance:
        severity = "good"
    said = f"it says {mean:.1%} on average and is right {evidence.evaluation.accuracy:.1%} of the time"
    if severity == "good":
        sentence = f"Its confidence can be taken at its word: {said}."
    elif mean > evidence.evaluation.accuracy:
        sentence = f"It is surer than it should be: {said}."
    else:
        sentence = f"It is more modest than it need be: {said}."
    return Finding(
        code="HT003",
        name="miscalibrated",
        severity=severity,
        sentence=sentence,
        number=error,
        threshold=LIMIT,
        unit="points",
        cure="Read its confidence through a temperature (section Calibration), which needs validation pictures to be "
        "fitted on. Label smoothing makes a model more modest, long training surer.",
    )


def _by_chance(confidence: NDArray[np.float64]) -> float:
    """What exact confidence would show on so few pictures: the mean of a bin of n scatters by sqrt(p (1 - p) / n)."""
    bin_of = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    variance = np.bincount(bin_of, confidence * (1 - confidence))
    return float((2 / np.pi) ** 0.5 * np.sqrt(variance).sum() / len(confidence))
