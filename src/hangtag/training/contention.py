"""Training threads that wait for each other: they spin while the machine is theirs, and sleep while it is busy.

A step has hundreds of barriers. To spin at them is fastest where each thread has a core of its own. Beside another busy
process it is the slowest: a thread that spins takes the time that the displaced one needs, and the scheduler sees two
threads that never rest. libgomp itself spins a thousandth as long while it manages more threads than there are cores
(`gomp_throttled_spin_count_var` in its wait.h and env.c). So while this process is kept waiting for a core, a second,
sleeping team of threads is held beside the one that computes.

Linux and libgomp only; anywhere else nothing is done. How many threads compute, and what, stays as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import torch

from hangtag.models import _kernels

LOOK_S = 0.25  # between two looks
BUSY, FREE = 0.10, 0.03  # share of the time that a thread that could run was kept waiting for a core
_TASKS = Path("/proc/self/task")


class Contention:
    """Looks from time to time whether this process is kept waiting, and lets its threads sleep or spin.

    Args:
        libgomp: the library whose threads compute; None: nothing is done.

    Example:
        with Contention(libgomp()) as contention:
            for batch in batches:
                step(batch)
                contention.look()
    """

    def __init__(self, libgomp: Path | None) -> None:
        waited = _waited_s()
        self._libgomp = None if waited is None else libgomp
        self._looked, self._waited = time.monotonic(), waited or 0.0
        self._extra: _SleepingTeam | None = None

    def __enter__(self) -> Contention:
        return self

    def __exit__(self, *_: object) -> None:
        self._spin()

    @property
    def busy(self) -> bool:
        """Whether threads sleep at once, because others are at work."""
        return self._extra is not None

    def look(self) -> None:
        """Call it after each step: it costs nothing but four times a second."""
        now = time.monotonic()
        if self._libgomp is None or now - self._looked < LOOK_S:
            return
        waited = _waited_s()
        if waited is None:
            return
        share = (waited - self._waited) / (now - self._looked)
        self._looked, self._waited = now, waited
        if share > BUSY and self._extra is None:
            self._extra = _SleepingTeam(self._libgomp)
        elif share < FREE:
            self._spin()

    def _spin(self) -> None:
        if self._extra is not None:
            self._extra.end()
            self._extra = None


class _SleepingTeam:
    """As many threads of libgomp as there are cores, which do nothing until they end."""

    def __init__(self, libgomp: Path) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, args=(libgomp,), name="hangtag-sleeping", daemon=True)
        self._thread.start()

    def _hold(self, libgomp: Path) -> None:
        with contextlib.suppress(OSError, AttributeError):
            begin = ctypes.CDLL(str(libgomp)).GOMP_parallel
            nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)  # what each thread is given: free(NULL)
            begin(nothing, None, (os.cpu_count() or 1) + 1, 0)
            self._over.wait()  # the team ends with the thread that began it

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def libgomp() -> Path | None:
    """The OpenMP library of PyTorch, if threads of this process wait for each other in it."""
    several = sys.platform == "linux" and torch.get_num_threads() > 1
    return _kernels.openmp_runtime() if several else None


def _waited_s() -> float | None:
    """Seconds that threads of this process which could run waited for a core; None where the system does not say."""
    total, found = 0, False
    for task in _TASKS.glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may have ended
            total += int(task.read_text().split()[1])
            found = True
    return total / 1e9 if found else None
