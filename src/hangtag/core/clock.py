"""Durations that nobody's clock change can bend."""

from __future__ import annotations

import time

_LOADED = time.perf_counter()


def process_age_s() -> float:
    """Seconds since this process started: what its user has waited.

    The system knows the start only as a time of day, so the age is read once, where possible, and carried on by a clock that
    only runs forward; without psutil it counts from the loading of this module, some 0.05 s after the start.
    """
    return _age_when_loaded() + time.perf_counter() - _LOADED


def _age_when_loaded() -> float:
    global _age
    if _age is None:
        try:
            import psutil

            _age = max(0.0, time.time() - psutil.Process().create_time() - (time.perf_counter() - _LOADED))
        except ImportError:
            _age = 0.0
    return _age


_age: float | None = None
