"""Learning-rate schedules, one per file: pure functions `(progress, *, options...) -> factor of the peak rate`.

progress is the fraction of steps done, in [0, 1); a pure function needs no state in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable

from hangtag.core.registry import Registry

register: Registry[Callable[..., float]] = Registry("schedule", __name__)
