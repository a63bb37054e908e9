"""What the options of augmentations may be."""

from __future__ import annotations

from hangtag.core.errors import HangtagError


def check_share(where: str, share: float) -> None:
    """Refuse a share or probability outside [0, 1].

    Raises:
        HangtagError: `usage_value`.
    """
    if not 0 <= share <= 1:
        raise HangtagError("usage_value", f"{where} should be in [0, 1], not {share}")


def check_positive(where: str, value: float) -> None:
    """Refuse what is not above 0, or not finite.

    Raises:
        HangtagError: `usage_value`.
    """
    if not 0 < value < float("inf"):
        raise HangtagError("usage_value", f"{where} should be above 0, not {value}")


def check_range(where: str, pair: tuple[float, float], low: float, high: float) -> None:
    """Refuse a pair that is not (least, most) within [low, high].

    Raises:
        HangtagError: `usage_value`.
    """
    if not low <= pair[0] <= pair[1] <= high:
        raise HangtagError(
            "usage_value", f"{where} should be [least, most] within [{low:g}, {high:g}], not {list(pair)}"
        )
