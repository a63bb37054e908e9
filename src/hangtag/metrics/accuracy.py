"""Share of pictures whose most probable class is the true one."""

from __future__ import annotations

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import check


@register("accuracy", higher_is_better=True)
def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of pictures whose most probable class is the true one.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        A fraction in [0, 1].

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    check(probabilities, labels)
    return float((probabilities.argmax(axis=1) == labels).mean())
