"""A short rise, then half a cosine down.

Source: Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, without restarts.
"""

from __future__ import annotations

import math

from hangtag.training.schedules import register
from hangtag.training.schedules._options import check_share


@register("cosine")
def cosine(progress: float, *, warmup: float = 0.05, end: float = 0.0) -> float:
    """Factor of the peak rate.

    Args:
        progress: fraction of steps done, in [0, 1).
        warmup: fraction of steps that lead up to the peak, from a tenth of it.
        end: factor approached at the last step.
    """
    check_share("cosine.warmup", warmup)
    check_share("cosine.end", end)
    if progress < warmup:
        return 0.1 + 0.9 * progress / warmup
    after = (progress - warmup) / (1 - warmup) if warmup < 1 else 0.0
    return end + (1 - end) * (1 + math.cos(math.pi * after)) / 2
