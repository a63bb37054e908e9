"""Text of unknown origin (file names, class names, messages) made fit for a terminal, a page or a spreadsheet."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path


def as_text(path: str | Path | None) -> str:
    r"""A path as valid Unicode: bytes of a name that are none show as escapes like `\udcff`."""
    return str(path or "").encode("utf-8", "backslashreplace").decode()


def printable(text: str | Path | None) -> str:
    """Text that cannot command a terminal: control, bidirectional and other invisible characters show as escapes."""
    return _escaped(as_text(text))


def one_line(text: str | Path | None) -> str:
    r"""`printable` for files that programs read: signs that join letters or emoji stay, a line's end shows as `\n`."""
    return _escaped(as_text(text), kept=_JOINERS)


def harmless(cell: str) -> str:
    """A cell no spreadsheet takes for a formula: `=cmd()` becomes `'=cmd()`; numbers stay as they are.

    Source: OWASP ASVS 5.0, 1.2.10; full-width signs count as the plain ones where Japanese is written.
    """
    cell = cell.replace("\0", "")
    formula = cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", *_FULL_WIDTH)) and not _NUMBER.fullmatch(cell)
    return "'" + cell if formula else cell


_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?")
_JOINERS = "\u200c\u200d"
_FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"  # = + - @


def _escaped(text: str, kept: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode()
        if char not in kept and (unicodedata.category(char)[0] == "C" or char in "\u2028\u2029")
        else char
        for char in text
    )
