"""Small trees in a row, each correcting those before it, on pixels counted into histograms.

Source: Friedman 2001, "Greedy Function Approximation"; histograms as in Ke et al. 2017, "LightGBM". Departure: each
split looks at a random share of the pixels, which is faster and loses little, neighbours being so alike.
"""

from __future__ import annotations

from typing import Any

from hangtag.classical import register


@register("gradient_boosting", onnx=True)
def gradient_boosting(
    seed: int,
    *,
    learning_rate: float = 0.15,
    max_iter: int = 150,
    max_leaf_nodes: int = 31,
    max_features: float = 0.1,
) -> Any:
    """Each iteration grows one tree per class; `max_features` is the share of pixels a split may choose from."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=max_iter,
        max_leaf_nodes=max_leaf_nodes,
        max_features=max_features,
        early_stopping=False,
        random_state=seed,
    )
