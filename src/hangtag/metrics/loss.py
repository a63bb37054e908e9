"""Cross-entropy: minus the natural logarithm of the probability given to the true class."""

from __future__ import annotations

import numpy as np

from hangtag.core.types import Labels, Probabilities
from hangtag.metrics import register
from hangtag.metrics._confusion import check

_LEAST = float(np.finfo(np.float32).eps)  # 1.2e-7: a certain mistake costs 15.9, not infinity


@register("loss", higher_is_better=False)
def negative_log_likelihood(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over pictures of -ln p(true class), with p clipped to [1.2e-7, 1 - 1.2e-7] as scikit-learn does in float32.

    Args:
        probabilities: (N, K), each row sums to 1.
        labels: (N,) true classes in [0, K).

    Returns:
        Nats per picture, 0 or more: ln K = 2.303 for ten equal guesses. Lower is better.

    Raises:
        ValueError: if N is 0, the shapes disagree or a label lies outside [0, K).
    """
    check(probabilities, labels)
    given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(given.clip(_LEAST, 1 - _LEAST)).mean())
