"""Where a command writes if nobody says: never over a file that Hangtag did not make."""

from __future__ import annotations

from pathlib import Path

from hangtag.core.errors import HangtagError

_BEGINNING = 4096  # bytes, in which a file of ours says what it is


def keep_others(path: Path, mark: str) -> None:
    """Leave a file alone that is somebody else's: one at `path` whose beginning does not hold `mark`.

    Raises:
        HangtagError: `usage_value`.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(_BEGINNING)
    except OSError:  # there is none, or whoever writes it will say what is wrong
        return
    if begins and mark.encode() not in begins:
        raise HangtagError("usage_value", f"{path} is there, and hangtag did not make it: choose another --out")
