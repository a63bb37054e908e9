"""Durations that nobody's clock change can bend."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_LOADED = time.perf_counter()


def process_age_s() -> float:
    """Seconds since this process started: what its user has waited.

    Linux knows the start by a clock that only runs forward. Elsewhere it is a time of day: it is read once, where
    psutil is there, and carried on by such a clock; without psutil, age counts from the loading of this module.
    """
    return _age_when_loaded() + time.perf_counter() - _LOADED


def _age_when_loaded() -> float:
    global _age
    if _age is None:
        _age = max(0.0, _read_age() - (time.perf_counter() - _LOADED))
    return _age


def _read_age() -> float:
    if sys.platform == "linux":
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # proc(5): field 22, ticks since boot
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    try:
        import psutil
    except ImportError:
        return 0.0
    return time.time() - float(psutil.Process().create_time())


_age: float | None = None
