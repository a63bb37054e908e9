"""One typed reading of what users write: `--set epochs=3`, `--set model.filters=[32,64]`, JSON recipes."""

from __future__ import annotations

import contextlib
import csv
import difflib
import json
import math
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from hangtag.core.errors import HangtagError
from hangtag.core.registry import nearest

_FRACTION = re.compile(r"[+-]?(\d+\.|\.\d+)")  # what people write and JSON does not know
_NUMBERS = re.compile(r"[\d.eE+-]+(,[\d.eE+-]+)+")


def parse(text: str) -> Any:
    """What a command line means: JSON where it is JSON (3, 0.1, true, null, [32,64]), or nearly so (.5 and 32,64).

    All else is the text itself.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if _FRACTION.fullmatch(text):
            return float(text)
        if _NUMBERS.fullmatch(text):
            return [parse(number) for number in text.split(",")]
        return {"none": None, "None": None, "True": True, "False": False}.get(text, text)


def words(text: str) -> list[str]:
    """What stands between commas, as a CSV file has it: a name that holds a comma stands in double quotes."""
    try:
        (found,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError):  # a quote that stands for itself, a line break
        found = text.split(",")
    return [word.strip() for word in found if word.strip()]


def coerce(value: Any, annotation: Any, where: str) -> Any:
    """`value` as the type `annotation` asks for; nothing is guessed beyond int -> float and list -> tuple.

    Raises:
        HangtagError: `usage_value`, naming `where`, what was wanted and what came.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        for option in arguments:
            if option is not type(None):
                try:
                    return coerce(value, option, where)
                except HangtagError:
                    continue
    elif origin is Literal:
        if value in arguments:
            return value
        hint = nearest(str(value), [str(argument) for argument in arguments])
        raise HangtagError("usage_value", f"{where} may not be {value!r}.{hint}")
    elif origin is tuple:
        if isinstance(value, list | tuple):
            if len(arguments) == 2 and arguments[1] is Ellipsis:
                return tuple(coerce(item, arguments[0], f"{where}[{i}]") for i, item in enumerate(value))
            if len(arguments) == len(value):
                pairs = enumerate(zip(value, arguments, strict=True))
                return tuple(coerce(item, kind, f"{where}[{i}]") for i, (item, kind) in pairs)
    elif annotation is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):  # a whole number of more than 308 digits
                if math.isfinite(value):
                    return float(value)
    elif annotation is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(annotation, type) and isinstance(value, annotation):
        return value
    raise HangtagError("usage_value", f"{where} should be {_plain(annotation)}, not {value!r}")


def check_keys(given: Mapping[str, Any], known: list[str], where: str) -> None:
    """Refuse the first key that is not known.

    Raises:
        HangtagError: `usage_unknown_key`, with the nearest known key.
    """
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            cure = (
                f" Did you mean {close[0]!r}?"
                if close
                else (f" It takes: {', '.join(known)}." if known else " It takes none.")
            )
            raise HangtagError("usage_unknown_key", f"{where} has no option {key!r}.{cure}")


_NAMES = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("a word", "words"),
    type(None): ("null", "nulls"),
    list: ("a list", "lists"),
    dict: ("an object", "objects"),
}


def _plain(annotation: Any, *, several: bool = False) -> str:
    """A type in words: one of it, or several."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_plain(option, several=several) for option in arguments)
    if origin is Literal:
        return f"{'any' if several else 'one'} of {', '.join(map(str, arguments))}"
    if origin in (tuple, list):
        items = [option for option in arguments if option is not Ellipsis]
        fixed = origin is tuple and len(items) == len(arguments)
        inside = f"{len(items)} value{'' if len(items) == 1 else 's'}" if fixed else _plain(items[0], several=True)
        return f"{'lists' if several else 'a list'} of {inside}"
    if known := _NAMES.get(origin or annotation):
        return known[several]
    return str(getattr(annotation, "__name__", annotation))
