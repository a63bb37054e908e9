"""The same rate from the first step to the last."""

from __future__ import annotations

from hangtag.training.schedules import register


@register("constant")
def constant(progress: float) -> float:
    """Always 1."""
    return 1.0
