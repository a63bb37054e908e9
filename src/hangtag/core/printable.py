"""Text of unknown origin (file names, class names, messages) made fit for a terminal or a spreadsheet."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def as_text(path: str | Path | None) -> str:
    r"""A path as valid Unicode: bytes of a name that are none show as escapes like `\udcff`."""
    return str(path or "").encode("utf-8", "backslashreplace").decode()


def printable(text: str | Path | None) -> str:
    """Text that cannot command a terminal: control, bidirectional and other invisible characters show as escapes."""
    shown = as_text(text)
    if shown.isprintable():
        return shown
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"
        else char
        for char in shown
    )


def harmless(cell: str) -> str:
    """A cell no spreadsheet takes for a formula. Source: OWASP ASVS 5.0, 1.2.10."""
    cell = cell.replace("\0", "")
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
