"""Macro recall: how much of a class is found, every class counting the same."""

from __future__ import annotations

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import confusion_matrix, recall_of


@register("recall", higher_is_better=True)
def macro_recall(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of recall over the K classes; a class without pictures counts 0.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        A fraction in [0, 1].

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    return float(recall_of(confusion_matrix(probabilities, labels)).mean())
