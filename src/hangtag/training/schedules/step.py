"""The peak rate, cut by the same factor at each milestone.

Source: He et al. 2016, arXiv 1512.03385, section 4.2: by ten at a half and at three quarters of training.
"""

from __future__ import annotations

from hangtag.core.errors import HangtagError
from hangtag.training.schedules import register


@register("step")
def step(progress: float, *, milestones: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> float:
    """Factor of the peak rate.

    Args:
        progress: fraction of steps done, in [0, 1).
        milestones: fractions of training at which the rate is cut, in (0, 1).
        factor: what it is multiplied by at each, in (0, 1].
    """
    if not 0 < factor <= 1:
        raise HangtagError("usage_value", f"step.factor should be in (0, 1], not {factor}")
    if not all(0 < milestone < 1 for milestone in milestones):
        raise HangtagError("usage_value", f"step.milestones should be fractions in (0, 1), not {list(milestones)}")
    return float(factor ** sum(progress >= milestone for milestone in milestones))
