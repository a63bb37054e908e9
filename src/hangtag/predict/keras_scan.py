"""Looks through a Keras file before Keras opens it: what would run code when loaded is refused by name.

A `.keras` file is a zip of `metadata.json`, `config.json` and `model.weights.h5`. The configuration names classes and
functions to call by module; Keras' own safe mode refuses lambdas, but has been led past more than once by other names
(CVE-2025-1550, CVE-2025-8747, CVE-2025-9906). Here a list says which modules may be named at all.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from hangtag.core.errors import HangtagError

_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_MAX_BYTES = 2_000_000_000
_MAX_CONFIG = 20_000_000
_MODULES = re.compile(
    r"keras(\.src)?(\.(activations|constraints|initializers|layers|losses|metrics|models|optimizers|regularizers"
    r"|dtype_policies|quantizers|random|engine|ops)(\.[a-z_0-9]+)*)?"
)
_NO_CLASSES = {"Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"}  # hold code, or read other files
_LAMBDAS = {"__lambda__", "function"}  # how Keras writes down Python code


def refuse_code(path: Path) -> None:
    """Pass if the file is a Keras file that names nothing but layers and the like of Keras' own.

    Raises:
        HangtagError: `bundle_unsafe` if it names anything else, `bundle_damaged` if it is no Keras file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "config.json" not in names or "model.weights.h5" not in names:
                raise HangtagError("bundle_damaged", f"{path} is not a Keras file: it lacks config.json or its weights")
            if others := sorted(names - _MEMBERS):
                raise HangtagError("bundle_unsafe", f"{path} holds {others[0]!r}, which no Keras file needs")
            if sum(member.file_size for member in archive.infolist()) > _MAX_BYTES:
                raise HangtagError("bundle_incompatible", f"{path} unpacks to more than {_MAX_BYTES:,} bytes")
            if archive.getinfo("config.json").file_size > _MAX_CONFIG:
                raise HangtagError("bundle_damaged", f"{path}: its config.json is far too long")
            config = json.loads(archive.read("config.json"))
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, ValueError, RuntimeError) as error:
        raise HangtagError("bundle_damaged", f"{path} cannot be read as a Keras file: {error}") from error
    todo: list[Any] = [config]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part
        if not isinstance(part, dict):
            continue
        name, module = part.get("class_name"), part.get("module")
        if not isinstance(name, str | None):
            raise HangtagError("bundle_damaged", f"{path}: its config.json gives {name!r} as the name of a class")
        if name in _NO_CLASSES or name in _LAMBDAS:
            what = "a lambda or function" if name in {"Lambda", *_LAMBDAS} else f"a {name}"
            raise _unsafe(path, f"{what}, Python code of its maker's")
        if isinstance(name, str) and module is None and part.get("registered_name") not in (None, name, ""):
            raise _unsafe(path, f"{part['registered_name']!r}, a class of its maker's")
        if module is not None and name != "__tuple__" and not (isinstance(module, str) and _MODULES.fullmatch(module)):
            raise _unsafe(path, f"{module!r}, which is not Keras' own")
        todo += part.values()


def _unsafe(path: Path, what: str) -> HangtagError:
    return HangtagError("bundle_unsafe", f"{path} names {what}: loading it could run anything, so it is not opened")
