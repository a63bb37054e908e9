"""Who takes part in a comparison: recipes by name or file, bundles, and models that others made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hangtag import data as datasets
from hangtag import recipes
from hangtag.core import card as cards
from hangtag.core import recipe as records
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import sha256_of
from hangtag.core.paths import bundle_names, find_bundle, folder_name
from hangtag.core.recipe import NetworkRecipe, Recipe
from hangtag.core.registry import nearest
from hangtag.predict.foreign import ENDINGS


@dataclass(frozen=True)
class Contestant:
    """Something to be compared.

    Args:
        name: what it is called; no two have the same.
        recipe: how it is trained, if it is to be.
        model: the folder of a bundle, or a file, if it is there already.
        data: the data set its recipe or card names; None for a model that others made.
        classes: those it knows, as its recipe or card says; empty: all of its data.
        place: where its card says the data lay, as `data.find` takes it.
    """

    name: str
    recipe: Recipe | None = None
    model: Path | None = None
    data: str | None = None
    classes: tuple[str, ...] = ()
    place: str | None = None

    @property
    def folder(self) -> str:
        """A name for its folder that any file system takes; `read` sees to it that no two are alike."""
        return folder_name(self.name)

    @property
    def trains_in_epochs(self) -> bool:
        """Whether epochs and a budget mean anything to it."""
        return isinstance(self.recipe, NetworkRecipe)

    def identity(self) -> dict[str, Any]:
        """What decides its results, as plain JSON."""
        if self.recipe is not None:
            return records.to_dict(self.recipe)
        assert self.model is not None
        if self.model.is_file():
            return {"sha256": sha256_of(self.model)}
        card = cards.read(self.model)  # not its own digest: a report puts a temperature into it, which decides nothing
        return {"sha256": cards.digest_of(card), "full": card.full, "class_names": list(card.class_names)}


def read(words: Sequence[str], *, epochs: int | None = None, settings: Sequence[str] = ()) -> list[Contestant]:
    """What each word names: a file by its ending, else a recipe, else a bundle.

    Args:
        words: recipes' names or JSON files, bundles' names or folders, `.onnx` and `.keras` files.
        epochs: for every network, in place of its recipe's.
        settings: `key=value` for every recipe, as `core.recipe.override` takes them.

    Raises:
        HangtagError: `usage_*` for a name nothing has, a word given twice or a setting that a recipe has not;
            `bundle_*` for a broken bundle.
    """
    found: list[Contestant] = []
    for i, word in enumerate(words):
        if word in words[:i]:
            raise HangtagError("usage_value", f"{word} is named twice: each is compared with the others once")
        one = _read(word)
        if settings and one.recipe is not None:
            recipe = records.override(one.recipe, settings)
            one = replace(one, recipe=recipe, data=recipe.data, classes=recipe.classes)
        if epochs is not None and isinstance(one.recipe, NetworkRecipe):
            one = replace(one, recipe=replace(one.recipe, epochs=epochs))
        taken = {other.folder.casefold() for other in found}
        if one.folder.casefold() in taken:
            one = replace(one, name=Path(word).stem)
        base, number = one.name, 2
        while one.folder.casefold() in taken:
            one, number = replace(one, name=f"{base}-{number}"), number + 1
        found.append(one)
    return found


def data_set_of(contestants: Sequence[Contestant], data: str | None) -> str:
    """The one data set all are about.

    Raises:
        HangtagError: `usage_value` if they name different ones and `data` does not say which.
    """
    named = {one.data: one.name for one in reversed(contestants) if one.data is not None}
    if len(named) > 1 and data is None:
        said = ", ".join(f"{name} is for {data_set}" for data_set, name in named.items())
        raise HangtagError("usage_value", f"these are for different data sets ({said}): say which with --data")
    return next((one.data for one in contestants if one.data is not None), "fashion-mnist")


def place_of_data(contestants: Sequence[Contestant], name: str) -> str | None:
    """Where the data set `name` lies, if the card of one of them knows; None where its name is enough.

    Raises:
        HangtagError: `data_not_found` if it lay in a folder that is not there any more, and nothing is called so.
    """
    places = [one.place for one in contestants if one.data == name and one.place]
    if found := next((place for place in places if datasets.place_of(name, place)), None):
        return found
    if places:
        datasets.find(name=name, place=places[0])  # says where it lay
    return None


def _read(word: str) -> Contestant:
    path = Path(word)
    if path.suffix == ".json":
        recipe = recipes.read(path)
        return Contestant(recipe.name, recipe, data=recipe.data, classes=recipe.classes)
    if path.suffix in ENDINGS:
        if not path.is_file():
            raise HangtagError("bundle_not_found", f"there is no file {path}")
        return Contestant(path.name, model=path)
    if word in recipes.register.names():
        recipe = recipes.create(word)
        return Contestant(recipe.name, recipe, data=recipe.data, classes=recipe.classes)
    try:
        folder = find_bundle(word)
    except HangtagError as error:
        if path.exists():
            raise
        known = sorted({*recipes.register.names(), *bundle_names()})
        hint = nearest(word, known) or " `hangtag list` names them."
        raise HangtagError("usage_unknown_recipe", f"no recipe or model is called {word!r}.{hint}") from error
    card: Card = cards.read(folder)
    classes = card.class_names if "classes_in_all" in card.data else ()
    return Contestant(
        card.name if Path(word).exists() else word,
        model=folder,
        data=card.data.get("name"),
        classes=classes,
        place=card.data.get("place"),
    )
