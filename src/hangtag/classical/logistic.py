"""One linear score per class, through a softmax: what pixels are worth one by one.

Departure from the textbook: L-BFGS stops after a fixed number of iterations; `--set estimator.max_iter=2000` goes on to
convergence.
"""

from __future__ import annotations

from typing import Any

from hangtag.classical import register


@register("logistic", onnx=True)
def logistic(seed: int, *, C: float = 0.1, max_iter: int = 150) -> Any:  # noqa: N803  its name everywhere
    """`C` is the inverse of the L2 penalty's weight. Nothing is random in it."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=max_iter)
