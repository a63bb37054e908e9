"""Metrics, one per file: functions `(probabilities (N, K), labels (N,)) -> float`. NumPy only.

Facts given to the decorator: `higher_is_better`. Every metric raises ValueError if N is 0, the shapes disagree or a
label lies outside [0, K).
"""

from __future__ import annotations

from collections.abc import Callable

from hangtag.core.registry import Registry
from hangtag.core.types import Labels, Probabilities

register: Registry[Callable[[Probabilities, Labels], float]] = Registry("metric", __name__)
