"""Metrics, one per file: functions `(probabilities (N, K), labels (N,)) -> float`. NumPy only: evaluation needs no extra."""

from __future__ import annotations

from collections.abc import Callable

from hangtag.core.registry import Registry
from hangtag.core.types import Labels, Probabilities

register: Registry[Callable[[Probabilities, Labels], float]] = Registry("metric", __name__)
