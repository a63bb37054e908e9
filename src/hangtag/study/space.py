"""Spaces: which settings of a recipe may be what. They are written as `--set` is, with several values for one.

optimiser.lr=1e-4..1e-2             from, to; even in its logarithm if both are above 0 and a factor of ten apart
epochs=5..60:linear                 or as `:linear` and `:log` say
optimiser=adam,sgd                  one of these
model.filters=32,64,64|16,32,32     one of these, where a value holds commas itself
optimiser.sgd.lr=0.01..0.3          asked only where the optimiser is sgd
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, get_type_hints

from hangtag.core.errors import HangtagError
from hangtag.core.keys import REGISTRIES, full_key
from hangtag.core.recipe import Option, Part, Recipe, options_of, override
from hangtag.core.typed import check_keys, coerce, parse
from hangtag.study import spaces

Value: TypeAlias = str | int | float | bool | None
"""What a storage can hold; a list stands as its text."""
Settings: TypeAlias = dict[str, Value]

_RANGE = re.compile(r"(.+?)\.\.(.+?)(?::(log|linear))?")
_FACTOR = 10  # between the ends of a range, from which on it is logarithmic unless told
# What is judged is the same for all trials.
_FIXED = ("kind", "name", "data", "classes", "size", "colour", "checkpoint_s")


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `whole` ones only, or evenly spread in their logarithm."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        kind = int if self.whole else (int, float)
        return isinstance(value, kind) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}" + (":log" if self.log else "")


@dataclass(frozen=True)
class Choice:
    """One of these."""

    values: tuple[Value, ...]

    def __contains__(self, value: object) -> bool:
        return any(value == known and type(value) is type(known) for known in self.values)

    def __str__(self) -> str:
        texts = [written(value) for value in self.values]
        return ("|" if any("," in text for text in texts) else ",").join(texts)


@dataclass(frozen=True)
class Space:
    """What may be what, checked against the recipe it is for.

    Args:
        recipe: the start.
        dimensions: by key; parts before their options.
    """

    recipe: Recipe
    dimensions: dict[str, Range | Choice]

    def draw(self, pick: Callable[[str, Range | Choice], Value]) -> Settings:
        """A value from `pick` for each key that counts: the options of a part are asked only where it is chosen."""
        settings: Settings = {}
        recipe = self.recipe
        for key, dimension in self.dimensions.items():
            if _counts(recipe, key):
                settings[key] = pick(key, dimension)
                recipe = applied(recipe, {key: settings[key]})
        return settings

    @property
    def endless(self) -> str | None:
        """The first key whose values cannot be counted, a range of fractions; None if all can be tried."""
        return next((key for key, dimension in self.dimensions.items() if _values(dimension) is None), None)

    def size(self) -> int | None:
        """How many combinations there are; None where there is no end of them."""
        return None if self.endless else self._count(self.recipe, list(self.dimensions.items()))

    def combinations(self) -> Iterator[Settings]:
        """Every one, the last key turning fastest.

        Raises:
            HangtagError: `usage_space`, if there is no end of them.
        """
        if key := self.endless:
            raise HangtagError(
                "usage_space", f"a grid wants values, and {key} is a range: say {key}=A,B,C, or take --sampler tpe"
            )
        yield from self._turn(self.recipe, list(self.dimensions.items()))

    def _count(self, recipe: Recipe, left: list[tuple[str, Range | Choice]]) -> int:
        if not left:
            return 1
        (key, dimension), *left = left
        if not _counts(recipe, key):
            return self._count(recipe, left)
        values = _values(dimension) or ()
        if not _decides(key, left):
            return len(values) * self._count(recipe, left)
        return sum(self._count(applied(recipe, {key: value}), left) for value in values)

    def _turn(self, recipe: Recipe, left: list[tuple[str, Range | Choice]]) -> Iterator[Settings]:
        if not left:
            yield {}
            return
        (key, dimension), *left = left
        if not _counts(recipe, key):
            yield from self._turn(recipe, left)
            return
        for value in _values(dimension) or ():
            chosen = applied(recipe, {key: value}) if _decides(key, left) else recipe
            for rest in self._turn(chosen, left):
                yield {key: value, **rest}

    def start(self) -> Settings:
        """What the recipe itself has under the keys that count for it, inside the space or not."""
        return {key: _own(self.recipe, key) for key in self.dimensions if _counts(self.recipe, key)}

    def to_dict(self) -> dict[str, str]:
        """Each key's values as they are written."""
        return {key: str(dimension) for key, dimension in self.dimensions.items()}


def read(lines: Iterable[str], recipe: Recipe) -> Space:
    """The space that `lines` describe: names of shipped spaces, and `key=values`; a later line of one key counts.

    Raises:
        HangtagError: `usage_space` for what is no space, `usage_unknown_space`, `usage_unknown_key` with the nearest
            key of the recipe, `usage_value` for a value of the wrong kind.
    """
    found: dict[str, Range | Choice] = {}
    for line in lines:
        for setting in [line] if "=" in line else spaces.register.get(line)():
            key, _, text = setting.partition("=")
            if not key.strip():
                raise HangtagError("usage_space", f"--space wants a name or key=values, not {line!r}")
            found[_full(recipe, key.strip())] = _dimension(key.strip(), text.strip())
    if not found:
        raise HangtagError("usage_space", "no space was given: say --space NAME (hangtag list spaces) or key=low..high")
    ordered = dict(sorted(found.items(), key=lambda item: "." in item[0]))  # parts before their options
    space = Space(recipe, ordered)
    checked = {key: _checked(space, key, dimension) for key, dimension in ordered.items()}
    return Space(recipe, checked)


def applied(recipe: Recipe, settings: Settings) -> Recipe:
    """The recipe with these settings. A part that is chosen and already there keeps its options.

    Raises:
        HangtagError: as `core.recipe.override`.
    """
    for key, value in settings.items():
        head, *rest = key.split(".")
        before = getattr(recipe, head, None)
        if len(rest) == 2 and isinstance(before, Part):
            key = f"{head}.{rest[1]}"
        recipe = override(recipe, [f"{key}={written(value)}"])
        after = getattr(recipe, head)
        if not rest and (chosen := _parts(after)):
            known = {part.name: part for part in _parts(before)}
            kept = [known.get(part.name, part) if not part.options else part for part in chosen]
            changes: dict[str, Any] = {head: tuple(kept) if isinstance(after, tuple) else kept[0]}
            recipe = replace(recipe, **changes)
    return recipe


def written(value: Value) -> str:
    """As `--set` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def shown(value: Value) -> str:
    """As people read it: four figures of a number."""
    return f"{value:.4g}" if isinstance(value, float) else written(value)


def plain(value: Value) -> Any:
    """What a value means: its text as the list it stands for."""
    return parse(value) if isinstance(value, str) else value


def _full(recipe: Recipe, key: str) -> str:
    """The key in full. `optimiser.sgd.lr` stays as it is: the recipe's own optimiser may be another."""
    head, *rest = key.split(".")
    return ".".join([full_key(recipe, head), *rest]) if len(rest) == 2 else full_key(recipe, key)


def _dimension(key: str, text: str) -> Range | Choice:
    if matched := _RANGE.fullmatch(text):
        ends = [parse(end) for end in matched.groups()[:2]]
        if all(isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end) for end in ends):
            return _range(key, text, ends[0], ends[1], matched[3])
        raise HangtagError("usage_space", f"{key}={text} is no range of numbers: say {key}=A..B, or values {key}=A,B,C")
    parts = text.split("|") if "|" in text else _outside_brackets(text)
    values: list[Value] = []
    for part in map(str.strip, parts):
        value = parse(part)
        values.append(value if value is None or isinstance(value, str | int | float) else _list_text(value, part))
    if len(parts) > 1 and not all(parts) and "|" not in text:
        raise HangtagError("usage_space", f"{key}={text}: a value is missing between the commas")
    if len(set(map(repr, values))) < len(values):
        lists = f" (lists are written '{key}=[32,64],[16,32]' or '{key}=32,64|16,32')" if "," in text else ""
        cure = f"say it once{lists}"
        raise HangtagError("usage_space", f"{key}={text} has a value twice: {cure}")
    if len(values) < 2:
        cure = f"give a range {key}=A..B or values {key}=A,B,C"
        what = f"{text} is one value: say --set {key}={text}, or {cure}" if text else f" has no value: {cure}"
        raise HangtagError("usage_space", f"{key}={what}")
    return Choice(tuple(values))


def _range(key: str, text: str, low: float, high: float, spread: str | None) -> Range:
    if low >= high:
        raise HangtagError("usage_space", f"{key}={text} is an empty range: the first number should be the smaller")
    if spread == "log" and low <= 0:
        raise HangtagError("usage_space", f"{key}={text}: a logarithmic range begins above 0")
    log = spread == "log" or (spread is None and low > 0 and high / low >= _FACTOR)
    return Range(low, high, log, whole=isinstance(low, int) and isinstance(high, int))


def _outside_brackets(text: str) -> list[str]:
    """`[1,2],[3]` -> `[1,2]`, `[3]`."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "[{") - (char in "]}")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _checked(space: Space, key: str, dimension: Range | Choice) -> Range | Choice:
    """The dimension, if every recipe that the space allows has such a key and it may have such values."""
    head, *rest = key.split(".")
    hints = get_type_hints(type(space.recipe))
    check_keys({head: None}, [name for name in hints if name not in _FIXED], f"recipe {space.recipe.name!r}")
    if not rest:
        kinds = [hints[head]]
    elif len(rest) > 2 or head not in REGISTRIES:
        raise HangtagError("usage_unknown_key", f"{key!r} names nothing in recipe {space.recipe.name!r}")
    else:
        kinds = [_option(head, part, rest[-1]).kind for part in _possible(space, head, key, rest[:-1])]
    if isinstance(dimension, Range):
        # 0..1 of whole numbers is 0 or 1 for epochs, and all between for a share
        fractions = all(_takes(kind, dimension.low + 0.5) for kind in kinds)
        if not fractions and not dimension.whole:
            coerce(dimension.low, kinds[0], key)
            coerce(dimension.high, kinds[0], key)
            raise HangtagError("usage_space", f"{key}={dimension}: a range is for numbers; say {key}=A,B,C")
        dimension = replace(dimension, whole=not fractions)
    values: list[Value] = [dimension.low, dimension.high] if isinstance(dimension, Range) else list(dimension.values)
    if rest:
        values = [_read(value, kinds, key) for value in values]
    else:
        recipes = [applied(space.recipe, {key: value}) for value in values]
        for recipe in recipes:
            for part in _parts(getattr(recipe, head)):
                _maker(head, part.name)
        values = [
            getattr(recipe, head) if isinstance(value, int) else value
            for recipe, value in zip(recipes, values, strict=True)
        ]
    if isinstance(dimension, Range):
        return dimension
    if len(set(map(repr, values))) < len(values):  # 0 and 0.0, once both are shares
        raise HangtagError("usage_space", f"{key}={dimension} has a value twice: say it once")
    return Choice(tuple(values))


def _values(dimension: Range | Choice) -> Sequence[Value] | None:
    """What can be tried of a dimension, one by one; None of a range of fractions."""
    if isinstance(dimension, Choice):
        return dimension.values
    return range(int(dimension.low), int(dimension.high) + 1) if dimension.whole else None


def _decides(key: str, left: list[tuple[str, Range | Choice]]) -> bool:
    """Whether some of the keys that are left only count for some values of this one."""
    return any(other.startswith(f"{key}.") for other, _ in left)


def _read(value: Value, kinds: list[Any], key: str) -> Value:
    """The value as the option takes it: 0 of a share is 0.0."""
    found = [coerce(plain(value), kind, key) for kind in kinds]
    return float(value) if isinstance(value, int) and all(isinstance(item, float) for item in found) else value


def _possible(space: Space, head: str, key: str, named: list[str]) -> list[str]:
    """Names of the parts whose option `key` may be, over all that the space allows."""
    dimension = space.dimensions.get(head)
    values = dimension.values if isinstance(dimension, Choice) else ()
    recipes = [space.recipe, *(applied(space.recipe, {head: value}) for value in values)]
    names = list(
        dict.fromkeys(part.name for recipe in recipes[bool(values) :] for part in _parts(getattr(recipe, head)))
    )
    if named:
        check_keys({named[0]: None}, names, head)
        return named
    if isinstance(getattr(space.recipe, head), tuple):
        raise HangtagError("usage_unknown_key", f"{key!r}: say of which, {head}.{names[0] if names else 'NAME'}.OPTION")
    if not names:
        raise HangtagError("usage_unknown_key", f"{key!r} names nothing: recipe {space.recipe.name!r} has no {head}")
    return names


def _option(head: str, name: str, option: str) -> Option:
    known = options_of(_maker(head, name))
    check_keys({option: None}, list(known), name)
    return known[option]


def _maker(head: str, name: str) -> Callable[..., Any]:
    maker: Callable[..., Any] = importlib.import_module(REGISTRIES[head]).register.get(name)
    return maker


def _takes(kind: Any, value: Any) -> bool:
    try:
        coerce(value, kind, "")
    except HangtagError:
        return False
    return True


def _parts(value: Any) -> list[Part]:
    return [part for part in (value if isinstance(value, tuple) else [value]) if isinstance(part, Part)]


def _counts(recipe: Recipe, key: str) -> bool:
    """Whether `key` says anything of this recipe: `optimiser.sgd.lr` does only where the optimiser is sgd."""
    head, *rest = key.split(".")
    parts = _parts(getattr(recipe, head)) if rest else []
    return not rest or (any(part.name == rest[0] for part in parts) if len(rest) == 2 else bool(parts))


def _own(recipe: Recipe, key: str) -> Value:
    """What the recipe has under `key`, as a space would write it."""
    head, *rest = key.split(".")
    value = getattr(recipe, head)
    if rest:
        part = next(part for part in _parts(value) if len(rest) == 1 or part.name == rest[0])
        option = _option(head, part.name, rest[-1])
        value = part.options.get(rest[-1], option.default)
        value = _read(value, [option.kind], key) if isinstance(value, int | float) else value  # lr=1 is lr=1.0
    elif isinstance(value, Part):
        value = value.name
    elif isinstance(value, tuple):
        value = tuple(item.name if isinstance(item, Part) else item for item in value)
    assert value is None or isinstance(value, str | int | float | tuple)
    return _list_text(value, str(value)) if isinstance(value, tuple) else value


def _list_text(value: Any, otherwise: str) -> str:
    """The one text of a list, however it was written: `32,64`, `[32]`, `flip,cutout`, `[]`."""
    if not isinstance(value, list | tuple):
        return otherwise
    if value and all(isinstance(item, str) for item in value):
        return ",".join(value)
    text = json.dumps(list(value), separators=(",", ":"))
    return text[1:-1] if len(value) > 1 and all(isinstance(item, int | float) for item in value) else text
