"""HEIC, the photos of phones, where the extra `heic` is installed: it only decodes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from hangtag.core.errors import HangtagError
from hangtag.core.optional import require

if TYPE_CHECKING:
    from PIL import Image


def check_installed() -> None:
    """See that the extra is there.

    Raises:
        HangtagError: `image_unsupported`, naming it.
    """
    try:
        require("pi_heif", extra="heic")
    except HangtagError as error:
        how = "to read it, pip install 'hangtag[heic]'; or save it as JPEG"
        why = "" if error.code == "extra_missing" else f" ({error.message})"
        raise HangtagError("image_unsupported", f"a HEIC image: {how}{why}") from error


def opened(content: bytes) -> Image.Image:
    """The main image of a HEIC, not decoded yet."""
    plugin = require("pi_heif", extra="heic")
    plugin.options.DECODE_THREADS = 1  # there are several children, and each thread reserves memory
    image: Image.Image = plugin.HeifImageFile(io.BytesIO(content))
    return image
