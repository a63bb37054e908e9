"""Labels that are likely wrong, by confident learning.

Source: Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", arXiv:1911.00068,
by its authors' library, cleanlab. Departures: the probabilities are calibrated first (Guo et al. 2017,
arXiv:1706.04599), so that a model's over- or under-confidence does not decide how much is found; and of what is found
only labels with less than one chance in a hundred are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.optional import require
from hangtag.metrics._temperature import fit_temperature, tempered

LEAST_CHANCE = 0.01  # of 2% planted errors in Fashion-MNIST 0.01 finds 9 in 10, 85% right; 0.02 94%, 73% right


@dataclass(frozen=True)
class LabelError:
    """A label that is likely wrong.

    Args:
        index: of the picture.
        given: class it is labelled as, in [0, K).
        suggested: class the model takes it for, in [0, K).
        score: the chance, by the calibrated model, that the given label is right, in [0, 0.01): lower is worse.
    """

    index: int
    given: int
    suggested: int
    score: float


def label_errors(probabilities: NDArray[Any], labels: NDArray[Any]) -> list[LabelError]:
    """Pictures whose label is contradicted by a model that has not learnt from them; the surest first.

    Args:
        probabilities: (N, K), rows sum to 1, from a model that has not seen the labels of these pictures: those of a
            test or validation split, or out-of-fold ones. What a model has learnt from it does not contradict.
        labels: (N,) int in [0, K).

    Raises:
        ValueError: if the shapes disagree.
        HangtagError: `extra_missing` without cleanlab.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(f"want (N, K) and (N,), got {probabilities.shape} and {labels.shape}")
    cleanlab = require("cleanlab.filter", extra="report")
    if len(np.unique(labels)) < 2:  # nothing to be mistaken for
        return []
    calibrated = tempered(probabilities, fit_temperature(probabilities, labels))
    # Confident learning estimates how many labels are wrong; those with the least chance are taken.
    flagged = cleanlab.find_label_issues(labels, calibrated, filter_by="low_self_confidence", n_jobs=1)
    chance, suggested = calibrated[np.arange(len(labels)), labels], calibrated.argmax(axis=1)
    found = np.flatnonzero(flagged & (chance < LEAST_CHANCE) & (suggested != labels))
    found = found[np.argsort(chance[found], kind="stable")]
    return [LabelError(int(i), int(labels[i]), int(suggested[i]), float(chance[i])) for i in found]
