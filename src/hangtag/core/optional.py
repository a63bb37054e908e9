"""The one door for optional packages: its error names the extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from hangtag.core.errors import HangtagError


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
        cure = f"pip install 'hangtag[{extra}]'"
        raise HangtagError("extra_missing", f"this needs {top}, which is not installed: {cure}") from error
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise HangtagError("extra_broken", f"{module} is installed but does not import: {reason}") from error
