"""Temperature scaling: one number that brings stated confidence to what is observed, and changes no label.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, section 4.2.
Departure: the temperature divides logarithms of probabilities where the paper divides logits. A softmax cannot tell the
two apart; a mean of two softmaxes (flip averaging) has no logits.
"""

from __future__ import annotations

import numpy as np

from hangtag.core.optional import require
from hangtag.core.types import Labels, Probabilities
from hangtag.metrics._confusion import check

COOLEST, HOTTEST = 0.1, 10.0  # beyond these every answer is certain, or all classes are equal
_LEAST = 1e-7  # float32 probabilities of 0 are roundings


def fit_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature under which the labels are likeliest.

    Args:
        probabilities: (N, K) answers on pictures that were not learnt from, each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        In [0.1, 10]. Above 1: the model was surer than it was right; below 1: the reverse.

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
        HangtagError: `extra_missing` without SciPy.
    """
    check(probabilities, labels)
    optimize = require("scipy.optimize", extra="report")
    logs = np.log(probabilities.astype(np.float64).clip(_LEAST))
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        most = scaled.max(axis=1)
        total = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1))
        return float((total - scaled[rows, labels]).mean())

    found = optimize.minimize_scalar(loss, bounds=(np.log(COOLEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """(N, K) probabilities under another temperature: the order of the classes stays, rows sum to 1."""
    logs = np.log(probabilities.astype(np.float64).clip(_LEAST)) / temperature
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    answer: Probabilities = (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)
    return answer
