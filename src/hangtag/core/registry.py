"""A registry is a folder: one file per entry, named as the entry is named.

Names are read off the folder and descriptions off the files' docstrings, so listing everything imports nothing heavy.
An entry is imported when it is asked for; its decorator then puts it in. Entries of your own, in any file of
yours, are registered by the same decorator (`examples/your_model.py`).
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from hangtag.core.errors import HangtagError
from hangtag.core.optional import importing

T = TypeVar("T")


def nearest(word: str, known: list[str]) -> str:
    """` Did you mean 'x'?` if a known word is close, else the list of known words; empty if there are none."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(known)}." if known else ""


class Registry(Generic[T]):
    """Names to things of one kind.

    Args:
        kind: what an entry is called in messages, e.g. "model".
        package: the package whose modules are the entries, e.g. "hangtag.models".
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._entries: dict[str, T] = {}
        self._facts: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str, **facts: Any) -> Callable[[T], T]:
        """Decorator that enters the decorated thing as `name`, with facts kept beside it.

        Raises:
            ValueError: if the name is taken by something else.
        """

        def enter(thing: T) -> T:
            known = self._entries.get(name)
            if known is not None and _origin(known) != _origin(thing):
                raise ValueError(f"two {self.kind}s are called {name!r}: {known} and {thing}")
            if _origin(thing)[0] not in (f"{self.package}.{name}", None) and (self._folder() / f"{name}.py").exists():
                raise ValueError(f"a {self.kind} of ours is called {name!r}: choose another name for {thing}")
            self._entries[name] = thing
            self._facts[name] = facts
            return thing

        return enter

    def names(self) -> list[str]:
        """Every name, in alphabetical order. Imports no entry."""
        return sorted({path.stem for path in self._folder().glob("*.py") if path.stem[0] != "_"} | set(self._entries))

    def get(self, name: str) -> T:
        """The entry called `name`.

        Raises:
            HangtagError: `usage_unknown_<kind>`, with the nearest known name; `extra_missing` for what its file needs.
        """
        if not isinstance(name, str) or name not in self._entries:
            if name not in self.names():
                code = f"usage_unknown_{self.kind.replace(' ', '_')}"
                raise HangtagError(code, f"no {self.kind} is called {name!r}.{nearest(str(name), self.names())}")
            with importing():
                importlib.import_module(f"{self.package}.{name}")
            if name not in self._entries:
                raise ValueError(f"{self.package}.{name} registers no {self.kind} called {name!r}")
        return self._entries[name]

    def facts(self, name: str) -> dict[str, Any]:
        """What the entry's decorator said of it."""
        self.get(name)
        return self._facts[name]

    def summary(self, name: str) -> str:
        """First line of what documents the entry, read without importing it."""
        tree = self.source(name)
        text = self._entries[name].__doc__ if tree is None else ast.get_docstring(tree)
        return (text or "").strip().partition("\n")[0]

    def source(self, name: str) -> ast.Module | None:
        """What is written in the entry's file; None if it has none of ours."""
        path = self._folder() / f"{name}.py"
        if name not in self.names() or not path.is_file():
            return None
        return ast.parse(path.read_text(encoding="utf-8"))

    def _folder(self) -> Path:
        spec = importlib.util.find_spec(self.package)
        assert spec is not None, self.package
        assert spec.origin is not None, self.package
        return Path(spec.origin).parent


def _origin(thing: Any) -> tuple[str | None, Any]:
    """Module and name where it was written: the same cell run twice is the same thing. An object is only itself."""
    name = getattr(thing, "__qualname__", None)
    return (None, thing) if name is None else (thing.__module__, name)
