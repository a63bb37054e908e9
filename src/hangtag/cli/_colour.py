"""Where a terminal wants plain text."""

from __future__ import annotations

import os


def colour() -> bool | None:
    """False where no escapes may be printed (TERM=dumb, NO_COLOR); None: as the stream allows.

    Source: https://no-color.org, and terminfo's entry "dumb".
    """
    return False if os.environ.get("TERM") in ("dumb", "unknown") or os.environ.get("NO_COLOR") else None
