"""What the options of schedules may be."""

from __future__ import annotations

from hangtag.core.errors import HangtagError


def check_share(where: str, share: float) -> None:
    """Refuse a share outside [0, 1].

    Raises:
        HangtagError: `usage_value`.
    """
    if not 0 <= share <= 1:
        raise HangtagError("usage_value", f"{where} should be in [0, 1], not {share}")
