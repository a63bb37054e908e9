"""The keys of a recipe's settings: short ones, other libraries' words for them, and what there is instead.

The last part of a dotted key is enough where the recipe has one such key: `lr` is `optimiser.lr`. Options are read off
the files that define them, so that nothing heavy is imported for a name.
"""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Iterable, Iterator
from typing import Any, get_type_hints

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part, Recipe, options_of
from hangtag.core.registry import Registry

REGISTRIES = {
    "model": "hangtag.models",
    "augment": "hangtag.augment",
    "optimiser": "hangtag.training.optimisers",
    "schedule": "hangtag.training.schedules",
    "average": "hangtag.training.averages",
    "estimator": "hangtag.classical",
}
"""Which field of a recipe takes its parts from which registry."""

_WORDS = {
    "lr": "learning_rate learning_rates rate",
    "learning_rate": "lr",
    "batch_size": "batch bs batchsize mini_batch mini_batch_size",
    "weight_decay": "wd l2 weight_decays",
    "epochs": "n_epochs num_epochs max_epochs nb_epochs",
    "optimiser": "optimizer opt optim",
    "augment": "augmentation augmentations augmentor aug augs transforms",
    "schedule": "scheduler lr_schedule lr_scheduler",
    "model": "net network arch architecture backbone",
    "estimator": "model classifier algorithm",
    "size": "image_size imgsz img_size input_size resolution",
    "colour": "color rgb",
    "label_smoothing": "smoothing loss_smoothing label_smooth smooth",
    "dropout": "drop dropout_rate drop_rate",
    "patience": "early_stopping early_stopping_patience",
    "seed": "random_seed random_state",
    "precision": "amp dtype",
    "flip_average": "tta",
    "teachers": "teacher",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "n_neighbors": "k neighbors neighbours n_neighbours",
    "n_estimators": "trees n_trees",
}
"""Our word, and what other libraries call the same."""


def full_key(recipe: Recipe, key: str) -> str:
    """The key in full: `optimiser.lr` for `lr`, `learning_rate` and `optimizer.lr`; a key that is full stays as it is.

    Raises:
        HangtagError: `usage_unknown_key`, for what names nothing or several things; says what there is.
    """
    fields = _fields(recipe)
    words = key.replace("-", "_").split(".")
    if words[0] in fields and (len(words) == 1 or _has(recipe, words[0], words[-1])):
        return ".".join(words)
    known = [*fields, *(key for head in fields for key in _keys(recipe, head))]
    found = [full for full in known if _short_for(words, full)]
    if not found:
        words = [*map(_ours(known), words)]
        found = [full for full in known if _short_for(words, full)]
    if words[0] in found:  # `size` is the recipe's own, though some parts may have a size too
        return words[0]
    if len(found) == 1:
        return found[0]
    if found:
        several = f"{', '.join(found[:-1])} or {found[-1]}"
        raise HangtagError("usage_unknown_key", f"{key!r} may be {several} in recipe {recipe.name!r}: say which")
    if words[0] in fields:
        return ".".join(words)  # whoever sets it says what is wrong
    raise HangtagError("usage_unknown_key", f"recipe {recipe.name!r} has no option {key!r}.{_instead(recipe, words)}")


def _fields(recipe: Recipe) -> list[str]:
    return [name for name in get_type_hints(type(recipe)) if name not in ("kind", "name")]


def _keys(recipe: Recipe, head: str) -> Iterator[str]:
    """The dotted keys below a field."""
    value = getattr(recipe, head)
    for part in _parts(value):
        for option in dict.fromkeys((*_options(head, part.name), *part.options)):
            yield f"{head}.{part.name}.{option}" if isinstance(value, tuple) else f"{head}.{option}"


def _has(recipe: Recipe, head: str, option: str) -> bool:
    """Whether some part of the field has the option, or there is no part that could."""
    options = [{*_options(head, part.name), *part.options} for part in _parts(getattr(recipe, head))]
    return not options or any(option in known for known in options)


def _parts(value: Any) -> list[Part]:
    return [part for part in (value if isinstance(value, tuple) else [value]) if isinstance(part, Part)]


def _short_for(words: list[str], full: str) -> bool:
    """`lr` and `sgd.lr` are short for `optimiser.lr`; the last word must be the last, the others in their order."""
    of = iter(full.casefold().split("."))
    return all(word.casefold() in of for word in words) and next(of, None) is None


def _ours(known: Iterable[str]) -> Any:
    """A function from a word to ours for it, if the recipe has that."""
    ours = {word for key in known for word in key.split(".")}
    return lambda word: next(
        (our for our, others in _WORDS.items() if our in ours and word.casefold() in others.split()), word
    )


def _options(head: str, name: str) -> list[str]:
    """The options of a registered thing; none of what is not registered. Imports the thing only if it is no file."""
    if head not in REGISTRIES:
        return []
    registry: Registry[Any] = importlib.import_module(REGISTRIES[head]).register
    tree = registry.source(name)
    if tree is None:
        return list(options_of(registry.get(name))) if name in registry.names() else []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        marks = [ast.unparse(mark) for mark in node.decorator_list]
        if any(mark.startswith(f"register({name!r}") for mark in marks):
            return _written(node, is_dataclass=any(mark.startswith("dataclass") for mark in marks))
    return []


def _written(node: ast.ClassDef | ast.FunctionDef, *, is_dataclass: bool) -> list[str]:
    """The options that a function, a class or a dataclass takes, as it is written."""
    if isinstance(node, ast.FunctionDef):
        return _with_defaults(node.args)
    if is_dataclass:
        lines = [line for line in node.body if isinstance(line, ast.AnnAssign) and line.value is not None]
        return [line.target.id for line in lines if isinstance(line.target, ast.Name)]
    made = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    return _with_defaults(made[0].args) if made else []


def _with_defaults(given: ast.arguments) -> list[str]:
    places = [*given.posonlyargs, *given.args]
    by_place = places[len(places) - len(given.defaults) :]
    by_name = [one for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is not None]
    return [one.arg for one in (*by_place, *by_name)]


def _instead(recipe: Recipe, words: list[str]) -> str:
    """What the recipe has that may be meant, or where such an option is found."""
    fields = _fields(recipe)
    keys = [key for head in fields for key in _keys(recipe, head)]
    if len(words) > 1:
        close = difflib.get_close_matches(words[0], fields, n=1, cutoff=0.6)
        return f" Did you mean {close[0]!r}?" if close else _all(recipe)
    (word,) = words
    spoken = {**{key.rpartition(".")[2]: key for key in keys}, **{field: field for field in fields}}
    ours = _ours([*fields, *keys])
    spoken |= {other: ours(other) for others in _WORDS.values() for other in others.split() if ours(other) != other}
    if close := difflib.get_close_matches(word.casefold(), spoken, n=1, cutoff=0.7):
        meant = spoken[close[0]]
        return f" Did you mean {spoken.get(meant, meant)!r}?"
    return _elsewhere(recipe, word) or _all(recipe)


def _all(recipe: Recipe) -> str:
    """Every key, those of one part together."""
    of: dict[str, list[str]] = {}
    for head in _fields(recipe):
        for key in _keys(recipe, head):
            whole, _, option = key.rpartition(".")
            of.setdefault(whole, []).append(option)
    parts = "".join(f"; {whole}.{'|'.join(options)}" for whole, options in of.items())
    return f" It takes: {', '.join(_fields(recipe))}{parts}."


def _elsewhere(recipe: Recipe, word: str) -> str:
    """Which things have such an option, and what those of this recipe have."""
    our = next((our for our, others in _WORDS.items() if word in others.split()), word)
    for head, package in REGISTRIES.items():
        if head not in _fields(recipe):
            continue
        names = importlib.import_module(package).register.names()
        having = [name for name in names if {word, our} & {*_options(head, name)}]
        if having:
            own = _parts(getattr(recipe, head))
            have = "; ".join(f"{part.name} takes {', '.join(_options(head, part.name)) or 'none'}" for part in own)
            return f" It is an option of {head}={'|'.join(having)}; here {have or f'{head} is empty'}."
    return ""
