"""Open files and uploads as bytes: what `open`, BytesIO, zipfile, Streamlit, Django, Flask and Starlette hand over."""

from __future__ import annotations

import inspect
import io
from typing import Any

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import MAX_BYTES


def is_open_file(source: Any) -> bool:
    """Whether it is something to read from."""
    return callable(getattr(source, "read", None)) and not isinstance(source, type)


def read(source: Any) -> bytes:
    """What is left to read of it, once; it is neither rewound nor closed.

    Raises:
        HangtagError: `image_unreadable` if it is closed, opened as text or for writing, or read with `await`;
            `image_empty` if it was read before; `image_too_large`.
    """
    if inspect.iscoroutinefunction(source.read) and is_open_file(getattr(source, "file", None)):
        source = source.file  # Starlette's and FastAPI's uploads
    if isinstance(source, io.TextIOBase):
        raise _as_text()
    try:
        content = source.read(MAX_BYTES + 1)
        if isinstance(source, io.IOBase) and isinstance(content, bytes):
            content = _to_its_end(source, content)
    except Exception as error:  # whatever the caller's object raises
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HangtagError("image_unreadable", f"the file cannot be read: {reason}") from error
    if inspect.isawaitable(content):
        if inspect.iscoroutine(content):
            content.close()
        raise HangtagError("image_unreadable", "the file is read with `await`: give the bytes, await file.read()")
    if isinstance(content, str):
        raise _as_text()
    if not isinstance(content, bytes | bytearray | memoryview):
        raise HangtagError("image_unreadable", f"the file gives {type(content).__name__}, not bytes")
    if len(content) > MAX_BYTES:
        raise HangtagError("image_too_large", f"longer than {MAX_BYTES:,} bytes, the most accepted")
    if not content:
        raise HangtagError("image_empty", f"the file is empty{_rewind(source)}")
    return bytes(content)


def _to_its_end(source: io.IOBase, content: bytes) -> bytes:
    """With what comes after the first part: a pipe or a socket without a buffer gives what has arrived."""
    parts, length = [content], len(content)
    while parts[-1] and length <= MAX_BYTES:
        parts.append(source.read(MAX_BYTES + 1 - length) or b"")
        length += len(parts[-1])
    return b"".join(parts)


def _rewind(source: Any) -> str:
    try:
        return " from here on: it was read before; file.seek(0) goes back" if source.tell() > 0 else ""
    except Exception:  # what cannot tell
        return ""


def _as_text() -> HangtagError:
    return HangtagError("image_unreadable", "the file was opened as text: open it as bytes, open(path, 'rb')")
