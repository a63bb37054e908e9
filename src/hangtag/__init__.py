"""Hangtag recognises fashion products in pictures.

    import hangtag
    hangtag.load("default").recognise("shirt.jpg")
    hangtag.train(hangtag.recipe("three_conv"))
    hangtag.evaluate("default")

Names are loaded when first used: `import hangtag` imports neither torch nor ONNX Runtime.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
_HOME: dict[str, str] = {}

if TYPE_CHECKING:
    pass


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'hangtag' has no attribute {name!r}")
