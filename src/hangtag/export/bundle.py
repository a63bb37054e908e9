"""Writing bundles: a folder that appears whole, or not at all."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.files import new_folder

_PACKAGES = ("hangtag", "numpy", "torch", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")


def write(card: Card, folder: Path, *, onnx: bytes | None = None, weights: bytes | None = None) -> None:
    """Put a bundle at `folder`, replacing one that is there.

    Args:
        card: what to say of it; digests of the files are added.
        folder: the bundle's folder.
        onnx: content of `model.onnx`, if the model has an ONNX form.
        weights: content of `weights.safetensors`, if it is a network.

    Raises:
        HangtagError: `storage_*`.
    """
    with new_folder(folder) as temporary:
        if onnx is not None:
            (temporary / cards.ONNX).write_bytes(onnx)
        if weights is not None:
            (temporary / cards.WEIGHTS).write_bytes(weights)
        cards.write(card, temporary)


def versions() -> dict[str, Any]:
    """Versions of Python and of the packages that took part."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit of the checkout this code lies in, `+changes` if it was edited, or None outside a checkout."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        top = Path(git("rev-parse", "--show-toplevel"))
        if folder != top / "src" / "hangtag" / "export":  # an installed copy inside somebody else's checkout
            return None
        return git("rev-parse", "--short=12", "HEAD") + (
            "+changes" if git("status", "--porcelain", "--", ":/src") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
