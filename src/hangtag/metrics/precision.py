"""Macro precision: how far a label can be trusted, every class counting the same."""

from __future__ import annotations

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import confusion_matrix, precision_of


@register("precision", higher_is_better=True)
def macro_precision(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of precision over the K classes; a class never predicted counts 0.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        A fraction in [0, 1].

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    return float(precision_of(confusion_matrix(probabilities, labels)).mean())
