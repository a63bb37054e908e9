"""Recipes: everything that decides a run, as frozen dataclasses that become JSON and come back.

Python is the source (`hangtag.recipes`), JSON is the record. A variant is `replace(base(), epochs=3)` in Python and
`--set epochs=3` on the command line; both go through the same typed check.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_type_hints

from hangtag.core.errors import HangtagError
from hangtag.core.typed import check_keys, coerce, parse, words

MAX_SIZE = 4096  # pixels a side; four children that decode for a larger one would fill a gigabyte


@dataclass(frozen=True, init=False)
class Part:
    """A registered thing by name, with its options: `Part("sgd", lr=0.1, momentum=0.9)`."""

    name: str
    options: dict[str, Any]

    def __init__(self, name: str, /, **options: Any) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", {key: _frozen(value) for key, value in options.items()})

    def __repr__(self) -> str:
        return f"Part({', '.join([repr(self.name), *(f'{k}={v!r}' for k, v in self.options.items())])})"

    def call(self, maker: Callable[..., Any], *arguments: Any, **given: Any) -> Any:
        """`maker(*arguments, **given, **options)` after checking the options against the maker's own signature.

        Keyword parameters with a default are options; the rest are the caller's to give.

        Raises:
            HangtagError: `usage_unknown_key` or `usage_value`.
        """
        known = options_of(maker, given)
        check_keys(self.options, list(known), self.name)
        options = {key: coerce(value, known[key].kind, f"{self.name}.{key}") for key, value in self.options.items()}
        return maker(*arguments, **given, **options)


@dataclass(frozen=True)
class Option:
    """What a maker takes under one name: of which kind, and what if nothing is said."""

    kind: Any
    default: Any


def options_of(maker: Callable[..., Any], given: Iterable[str] = ()) -> dict[str, Option]:
    """The options of a registered thing: its keyword parameters that have a default, but for those `given`."""
    hints = get_type_hints(maker.__init__ if inspect.isclass(maker) else maker)
    return {
        parameter.name: Option(hints.get(parameter.name, Any), parameter.default)
        for parameter in inspect.signature(maker).parameters.values()
        if parameter.default is not parameter.empty and parameter.name not in given
    }


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe:
    """How a network is trained. Sizes in pixels, rates per step of the optimiser, times in seconds."""

    kind: Literal["network"] = "network"
    name: str
    data: str = "fashion-mnist"
    size: int = 28  # pixels along a side
    colour: bool = False  # pictures are grey unless this is set
    classes: tuple[str, ...] = ()  # only these are learnt: names, numbers or 5-9; none named: all
    few: int | None = None  # labelled training pictures of each class, drawn by the seed; None: all there are
    model: Part
    start: str | None = None  # a bundle, a file of weights, or imagenet, to go on from (training/start.py)
    freeze: bool = False  # only the model's classifier learns; batch norms keep what they have counted
    teachers: tuple[str, ...] = ()  # bundles whose probabilities are learnt beside the labels (training/teaching.py)
    temperature: float = 4.0  # of the teachers' and the network's probabilities where they are compared
    teacher_weight: float = 0.9  # how much the teachers count; the labels count for the rest
    teacher_views: int = 0  # augmented views that teachers are asked about and the student is shown; 0: the plain ones
    augment: tuple[Part, ...] = ()
    label_smoothing: float = 0.0
    class_weights: Literal["balanced"] | None = None  # balanced: n / (K * n_c) for class c (training/class_weights.py)
    optimiser: Part = field(default_factory=lambda: Part("adam", lr=1e-3))
    schedule: Part = field(default_factory=lambda: Part("constant"))
    average: Part | None = None  # weights averaged along the way: what is kept in the end
    prune: float = 0.0  # share of the easy pictures each epoch leaves out (training/pruning.py)
    batch_size: int = 64
    epochs: int = 10
    patience: int | None = None  # epochs without a better validation loss before stopping; keeps the best weights
    precision: Literal["auto", "fp32", "bf16"] = "auto"  # auto: bf16 where the hardware is built for it
    flip_average: bool = False  # judge each picture and its mirror image, answer with the mean
    seed: int = 0
    checkpoint_s: float = 60.0  # a killed run loses at most this much, or one epoch


@dataclass(frozen=True, kw_only=True)
class ClassicalRecipe:
    """How an algorithm without gradient descent is fitted."""

    kind: Literal["classical"] = "classical"
    name: str
    data: str = "fashion-mnist"
    size: int = 28
    colour: bool = False
    classes: tuple[str, ...] = ()
    few: int | None = None
    class_weights: Literal["balanced"] | None = None
    estimator: Part
    seed: int = 0


Recipe: TypeAlias = NetworkRecipe | ClassicalRecipe
_KINDS: dict[str, type[NetworkRecipe] | type[ClassicalRecipe]] = {
    "network": NetworkRecipe,
    "classical": ClassicalRecipe,
}


# Fields that came later are written down only where they say something: a recipe without them reads as it always did,
# so that runs, cards and measurements made before them still count as made with the same settings.
_LATER = (
    "classes",
    "few",
    "start",
    "freeze",
    "teachers",
    "temperature",
    "teacher_weight",
    "teacher_views",
    "class_weights",
)


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """Plain JSON types; parts are `{"name": ..., option: value, ...}`."""
    return {
        item.name: _plain(value)
        for item in dataclasses.fields(recipe)
        if (value := getattr(recipe, item.name)) != item.default or item.name not in _LATER
    }


def from_dict(record: Mapping[str, Any]) -> Recipe:
    """The recipe that `to_dict` wrote down.

    Raises:
        HangtagError: `usage_unknown_key` or `usage_value`, naming the key.
    """
    kind = record.get("kind", "network")
    if kind not in list(_KINDS):  # what JSON gives need not be hashable
        raise HangtagError("usage_value", f"a recipe's kind is one of {', '.join(_KINDS)}, not {kind!r}")
    hints = get_type_hints(_KINDS[kind])
    check_keys(record, list(hints), "a recipe")
    values = {key: _read(value, hints[key], key) for key, value in record.items()}
    missing = [
        item.name
        for item in dataclasses.fields(_KINDS[kind])
        if item.name not in values
        and item.default is dataclasses.MISSING
        and item.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise HangtagError("usage_value", f"the recipe lacks {', '.join(missing)}")
    return _checked(_KINDS[kind](**values))


def fingerprint(settings: Mapping[str, Any]) -> str:
    """Eight hex digits that differ when any setting differs."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """The recipe with `key=value` settings applied, left to right; a string is one setting.

    `epochs=3` sets a field; `model.width=32` an option of a part; `augment.shift.pixels=2` an option of a listed part;
    `optimiser=muon` replaces a part by name; `augment=flip,cutout` lists parts by name. The last part of a key is
    enough where the recipe has one such key (`lr=0.1`); other libraries' words are understood (`learning_rate=0.1`).

    Raises:
        HangtagError: `usage_setting`, `usage_unknown_key` or `usage_value`.
    """
    if not isinstance(recipe, NetworkRecipe | ClassicalRecipe):
        whose = "settings belong to a recipe, such as hangtag.recipe('fast')"
        raise HangtagError("usage_value", f"{whose}, not to {recipe!r}")
    from hangtag.core.keys import full_key  # which imports this module

    for setting in [settings] if isinstance(settings, str) else settings:
        key, separator, text = setting.partition("=")
        if not separator or not key:
            raise HangtagError("usage_setting", f"--set wants key=value, not {setting!r}")
        recipe = _set(recipe, full_key(recipe, key.strip()), parse(text.strip()))
    return _checked(recipe)


def _set(recipe: Recipe, key: str, value: Any) -> Recipe:
    head, *rest = key.split(".")
    hints = get_type_hints(type(recipe))
    known = [name for name in hints if name not in ("kind", "name")]
    check_keys({head: value}, known, f"recipe {recipe.name!r}")
    current = getattr(recipe, head)
    if not rest:
        return _changed(recipe, head, _read(value, hints[head], head))
    if isinstance(current, tuple) and all(isinstance(part, Part) for part in current) and len(rest) == 2:
        names = [part.name for part in current]
        check_keys({rest[0]: value}, names, head)
        parts = tuple(_with(part, rest[1], value) if part.name == rest[0] else part for part in current)
        return _changed(recipe, head, parts)
    if isinstance(current, Part) and len(rest) == 1:
        return _changed(recipe, head, _with(current, rest[0], value))
    raise HangtagError("usage_unknown_key", f"{key!r} names nothing in recipe {recipe.name!r}: {head} is {current!r}")


def _changed(recipe: Recipe, key: str, value: Any) -> Recipe:
    changes: dict[str, Any] = {key: value}
    return replace(recipe, **changes)


def _with(part: Part, key: str, value: Any) -> Part:
    return Part(part.name, **{**part.options, key: value})


def _read(value: Any, annotation: Any, where: str) -> Any:
    if annotation is Part or annotation == Part | None:
        if value is None and annotation != Part:
            return None
        if isinstance(value, str):
            return Part(value)
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            return Part(value["name"], **{key: item for key, item in value.items() if key != "name"})
        raise HangtagError("usage_value", f"{where} should be a name, not {value!r}")
    if annotation == tuple[Part, ...]:
        names = [name for name in value.split(",") if name] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            raise HangtagError("usage_value", f"{where} should be names with commas between, not {value!r}")
        return tuple(_read(item, Part, f"{where}[{i}]") for i, item in enumerate(names))
    if annotation == tuple[str, ...]:  # classes=5-9, classes=5,6 and teachers=one,two as people write them
        found = words(value) if isinstance(value, str) else value
        if isinstance(found, int) and not isinstance(found, bool):
            found = [found]
        if isinstance(found, list | tuple):
            found = [str(word) if isinstance(word, int) and not isinstance(word, bool) else word for word in found]
            value = [word for word in found if word != ""]
    if value is not None and annotation == Literal["balanced"] | None:
        return coerce(value, Literal["balanced"], where)  # whose message names the nearest
    return coerce(value, annotation, where)


def _checked(recipe: Recipe) -> Recipe:
    """Refuse numbers no run could use; what a part's options may be, the part itself says."""
    positive = ("size", "batch_size", "epochs", "patience", "checkpoint_s", "few", "temperature")
    for key in positive:
        value = getattr(recipe, key, None)
        if value is not None and value <= 0:
            raise HangtagError("usage_value", f"{key} should be above 0, not {value}")
    if recipe.size > MAX_SIZE:
        raise HangtagError("usage_value", f"size should be at most {MAX_SIZE:,} pixels, not {recipe.size:,}")
    for key in ("label_smoothing", "prune"):
        if not 0 <= (share := getattr(recipe, key, 0.0)) < 1:
            raise HangtagError("usage_value", f"{key} should be in [0, 1), not {share}")
    if not 0 <= (weight := getattr(recipe, "teacher_weight", 0.0)) <= 1:
        raise HangtagError("usage_value", f"teacher_weight should be in [0, 1], not {weight}")
    if (views := getattr(recipe, "teacher_views", 0)) < 0:
        raise HangtagError("usage_value", f"teacher_views should be 0 or more, not {views}")
    if views and not getattr(recipe, "teachers", ()):
        raise HangtagError("usage_value", "teacher_views are for teachers to look at: --set teachers=BUNDLE too")
    if getattr(recipe, "freeze", False) and getattr(recipe, "start", None) is None:
        raise HangtagError("usage_value", "freeze keeps what a start brings: --set start=BUNDLE too")
    if recipe.seed < 0:
        raise HangtagError("usage_value", f"seed should be 0 or more, not {recipe.seed}")
    return recipe


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return {"name": value.name, **{key: _plain(item) for key, item in value.options.items()}}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
