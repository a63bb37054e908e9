"""Straight up to the peak, then straight down to nearly nothing.

Source: Smith & Topin 2018, arXiv 1708.07120, in the triangle of airbench (Jordan 2024, arXiv 2404.00498).
"""

from __future__ import annotations

from hangtag.training.schedules import register
from hangtag.training.schedules._options import check_share


@register("one_cycle")
def one_cycle(progress: float, *, warmup: float = 0.25, start: float = 0.2, end: float = 0.0) -> float:
    """Factor of the peak rate.

    Args:
        progress: fraction of steps done, in [0, 1).
        warmup: fraction of steps that lead up to the peak.
        start: factor at the first step.
        end: factor approached at the last.
    """
    check_share("one_cycle.warmup", warmup)
    check_share("one_cycle.start", start)
    check_share("one_cycle.end", end)
    if progress < warmup:
        return start + (1 - start) * progress / warmup
    return 1 + (end - 1) * (progress - warmup) / (1 - warmup) if warmup < 1 else 1.0
