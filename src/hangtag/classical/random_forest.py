"""Many deep trees, each grown on other pictures and other pixels, that answer with their mean.

Source: Breiman 2001, "Random Forests". Departure: leaves hold at least two pictures, which makes the file smaller.
"""

from __future__ import annotations

from typing import Any

from hangtag.classical import register


@register("random_forest", onnx=True)
def random_forest(seed: int, *, n_estimators: int = 100, min_samples_leaf: int = 2) -> Any:
    """`n_estimators` trees, each split chosen among the square root of all pixels."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators, min_samples_leaf=min_samples_leaf, random_state=seed, n_jobs=-1)
