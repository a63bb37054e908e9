"""What a body is that holds no image as it is: how it was probably sent, and how to send one."""

from __future__ import annotations

import base64
import re

HOW = "send the image's bytes as the body: curl --data-binary @shirt.jpg"
LONG = 4_096  # bytes of an image that hold no CR and no LF: one image in 10^14
_STARTS = {
    b"\x89PNG": "a PNG",
    b"\xff\xd8\xff": "a JPEG",
    b"RIFF": "a WebP",
    b"GIF8": "a GIF",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"\0\0\0": "an AVIF or HEIC",
}
_TEXT_OF_BYTES = (  # what a program writes that has read an image as text
    b"?PNG",
    b"\xef\xbf\xbd",
    *(
        start.decode(coding, "replace").encode()
        for start in (b"\xff\xd8\xff", b"\x89PNG")
        for coding in ("latin-1", "cp1252")
    ),
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]{24,}={0,2}")
_HEX = re.compile(rb"(?:0x)?(?:89504e47|ffd8ff|52494646)[0-9a-f]*", re.IGNORECASE)
_FORM_FIELD = re.compile(rb"[\w.%\[\]-]{1,64}=")


def lost_line_ends(content: bytes | bytearray, content_type: str) -> bool:
    """Whether it is an image without one line end that came as a form: `curl -d` leaves them out.

    What is left of a JPEG may still decode, to another image.
    """
    if not content_type.startswith("application/x-www-form-urlencoded") or _start(content) is None:
        return False
    long_enough = len(content) >= LONG or content.startswith(b"\x89PNG\x1a")
    return long_enough and b"\n" not in content and b"\r" not in content


def how_sent(content: bytes, content_type: str) -> str | None:
    """How a body was sent in which no image was found, and how to send one; None if it looks like no way of sending.

    Args:
        content: the body.
        content_type: the header that came with it, in small letters; "" without one.
    """
    text = content[: 2 * LONG].strip()
    found = _mangled(content, content_type)
    if found is None and _start(content) is None:
        found = _written_out(text) or _packed(text, content_type)
    return f"{found}; {HOW}" if found else None


def _mangled(content: bytes, content_type: str) -> str | None:
    """Bytes of an image, some of them changed on the way."""
    kind = _start(content)
    form = content_type.startswith("application/x-www-form-urlencoded")
    if kind and form and b"\n" not in content and b"\r" not in content:
        return f"{kind} that has lost its line ends, as curl -d and --data leave them out"
    if content.startswith(b"\x89PNG") and not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "a PNG whose line ends were changed: it was read or sent as text"
    if content.startswith(_TEXT_OF_BYTES) or (kind == "a WebP" and _is_utf8(content)):
        return "an image that was read as text, which destroys it: open the file in binary mode"
    if content.startswith(b"\x1f\x8b"):
        return "something compressed with gzip"
    return None


def _written_out(text: bytes) -> str | None:
    """Bytes of an image, spelled in letters."""
    if text[:5].lower() == b"data:":
        return "a data: URL"
    if text.startswith((b"b'", b'b"')):
        return "Python's notation of bytes, not the bytes"
    if _HEX.fullmatch(text):
        return "an image in hexadecimal digits"
    letters = b"".join(text.split())
    if not _BASE64.fullmatch(letters):
        return None
    usual = letters.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    kind = _start(base64.b64decode(usual[: len(usual) // 4 * 4]))
    return f"{kind} in base64" if kind else "text that looks like base64" if len(letters) >= 64 else None


def _packed(text: bytes, content_type: str) -> str | None:
    """An image, or its name, as a part of something."""
    if "json" in content_type or text[:1] in (b"{", b"["):
        return "JSON"
    if text[:1] == b'"':
        return "a string in JSON"
    if text.startswith(b"--") and b"content-disposition" in text.lower():
        return "a form (multipart)"
    if text.startswith((b"http://", b"https://")):
        return "an address, and addresses are not fetched"
    if text[:1] == b"@":
        return "the name of a file with an @ before it, not the file"
    if content_type.startswith("application/x-www-form-urlencoded") and _FORM_FIELD.match(text):
        return "a form with a field in it, not the file alone"
    return None


def _start(content: bytes | bytearray) -> str | None:
    """What kind of image begins like this."""
    return next((kind for start, kind in _STARTS.items() if content.startswith(start)), None)


def _is_utf8(content: bytes) -> bool:
    """Whether it is text: no image as it is happens to be."""
    try:
        content.decode()
    except ValueError:
        return False
    return True
