"""Algorithms without gradient descent, one per file: functions `(seed, *, options...) -> scikit-learn estimator`.

The estimator takes (N, size*size) or (N, size*size*3) float32 in [0, 1] and has `predict_proba`.
Facts given to the decorator: `onnx=False` where no exact ONNX form exists; such a model is for comparison only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hangtag.core.registry import Registry

register: Registry[Callable[..., Any]] = Registry("estimator", __name__)
