"""Macro F1: precision and recall in one number, every class counting the same."""

from __future__ import annotations

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import confusion_matrix, f1_of


@register("f1", higher_is_better=True)
def macro_f1(probabilities: Probabilities, labels: Labels) -> float:
    """Mean of F1 over the K classes; a class neither there nor predicted counts 0.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        A fraction in [0, 1].

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    return float(f1_of(confusion_matrix(probabilities, labels)).mean())
