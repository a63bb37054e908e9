"""The data at a glance: examples and counts, how they were split, what preparation does to a picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hangtag.core import recipe as recipes
from hangtag.core.errors import HangtagError
from hangtag.core.types import Split
from hangtag.data.contact_sheet import examples
from hangtag.report.album import TEST, Album
from hangtag.report.judged import Judged
from hangtag.report.pictures import picture_uri

_EXAMPLES = 240  # in all; at least two of each class, at most ten
_VARIANTS = 8


@dataclass(frozen=True)
class ClassRow:
    """One class: how many pictures, and some of them."""

    index: int
    name: str
    training: int | None
    validation: int | None
    test: int
    bar: float  # of the largest class, in [0, 1]


@dataclass(frozen=True)
class Strip:
    """A row of pictures and what it shows, as data URIs."""

    name: str
    pictures: list[str]


@dataclass(frozen=True)
class Glance:
    """The section."""

    rows: list[ClassRow]
    examples: list[list[int]]
    split: str
    preparation: str
    prepared: list[Strip] = field(default_factory=list)
    augmentation: str = ""
    augmented: list[Strip] = field(default_factory=list)


def glance(judged: Judged, album: Album) -> Glance:
    """From the test pictures, and the training pictures where they are there."""
    per_class = int(np.clip(_EXAMPLES // len(judged.test.class_names), 2, 10))
    shown = [
        album.add_all(TEST, examples(judged.test, label, per_class)) for label in range(len(judged.test.class_names))
    ]
    preparation, prepared = _prepared(judged)
    augmentation, augmented = _augmented(judged)
    return Glance(_rows(judged), shown, _split(judged), preparation, prepared, augmentation, augmented)


def _rows(judged: Judged) -> list[ClassRow]:
    def counts(split: Split | None) -> list[int] | None:
        return None if split is None else list(split.counts().values())

    training, validation, test = counts(judged.training), counts(judged.validation), counts(judged.test) or []
    measure = training or test
    most = max(*measure, 1)
    return [
        ClassRow(
            i,
            name,
            training[i] if training else None,
            validation[i] if validation else None,
            test[i],
            measure[i] / most,
        )
        for i, name in enumerate(judged.test.class_names)
    ]


def _split(judged: Judged) -> str:
    said = [f"{len(judged.test):,} test pictures, which are only ever judged"]
    if judged.training is not None and judged.validation is not None:
        said = [
            f"{len(judged.training):,} pictures to learn from",
            f"{len(judged.validation):,} for validation, {_validated(judged)}",
            *said,
        ]
    elif judged.training is not None:
        said = [f"{len(judged.training):,} pictures to learn from, none held out for validation", *said]
    else:
        said.append(f"the training pictures are not here ({judged.missing})")
    skipped = {*judged.test.skipped, *(judged.everything.skipped if judged.everything is not None else ())}
    if skipped:
        said.append(f"{len(skipped):,} files were left out because they could not be read or are no pictures")
    return "; ".join(said) + "."


def _validated(judged: Judged) -> str:
    if judged.dataset.validation is not None:
        return "from a folder of their own"
    return "cut out of the training half class by class in the same proportion, alike on every machine"


def _prepared(judged: Judged) -> tuple[str, list[Strip]]:
    card = judged.card
    how = "fitted into a square" if card.colour else "trimmed, made grey and light on dark, fitted into a square"
    size = f"{card.size} × {card.size} pixels, {'in colour' if card.colour else 'grey'}"
    if not judged.test.sources:
        return (
            f"These pictures are already what the model takes ({size}), so nothing is done to them. A photo is turned "
            f"upright and {how} before the model sees it.",
            [],
        )
    before = [
        (index, file)
        for index in np.linspace(0, len(judged.test) - 1, min(60, len(judged.test))).astype(int)
        if (file := _find(judged, judged.test.sources[index])) is not None
    ][:_VARIANTS]
    originals = [(index, pixels) for index, file in before if (pixels := _read(file)) is not None]
    strips = [
        Strip("as photographed", [picture_uri(pixels, 112) for _, pixels in originals]),
        Strip("as the model sees it", [picture_uri(judged.test.images[index], 112) for index, _ in originals]),
    ]
    return f"Each photo is turned upright and {how} of {size}.", strips if originals else []


def _find(judged: Judged, source: str) -> Path | None:
    """The file a test picture came from. A set tells where it lies, and its pictures by their path inside it."""
    folder = judged.dataset.test_folder
    return folder / source if folder is not None and (folder / source).is_file() else None


def _read(file: Path) -> NDArray[np.uint8] | None:
    from hangtag.preprocess.decode import decode
    from hangtag.preprocess.photo import read_file

    try:
        return decode(read_file(file), enough=256).pixels
    except HangtagError:  # gone or changed since the set was opened: the report does without
        return None


def _augmented(judged: Judged) -> tuple[str, list[Strip]]:
    """One training picture through every augmentation of the recipe alone, then through all of them."""
    try:
        recipe = recipes.from_dict(judged.card.recipe)
    except HangtagError:
        return "The card names no recipe this version knows, so its augmentation cannot be shown.", []
    if not isinstance(recipe, recipes.NetworkRecipe):
        return "This algorithm learns from the pictures as they are: there is no augmentation.", []
    if not recipe.augment:
        return "The recipe has no augmentation: the network learnt from the pictures as they are.", []
    if judged.training is None:
        return f"The recipe augments by {_listed(recipe)}; there is no training picture here to show it on.", []
    try:
        import torch

        from hangtag import augment

        steps = augment.create(recipe.augment)
    except ImportError:
        return f"The recipe augments by {_listed(recipe)}; showing it needs torch: pip install 'hangtag[train]'", []
    except HangtagError as error:  # an augmentation of somebody's own
        return f"The recipe augments by {_listed(recipe)}, which cannot be shown here: {error.message}.", []

    # Beside the picture stand others, for augmentations that mix; each variant is another epoch.
    chosen = np.concatenate([[0], np.random.default_rng(0).permutation(len(judged.training))[:_VARIANTS]])
    batch = torch.from_numpy(judged.training.images[chosen]).float()
    batch = batch.unsqueeze(1) if batch.ndim == 3 else batch.permute(0, 3, 1, 2)  # (N, C, H, W)
    labels = torch.from_numpy(judged.training.labels[chosen])
    targets = torch.nn.functional.one_hot(labels, len(judged.test.class_names)).float()

    def through(steps: list[augment.Augmentation]) -> list[str]:
        return [variant(steps, epoch) for epoch in range(_VARIANTS)]

    def variant(steps: list[augment.Augmentation], epoch: int) -> str:
        images, aims = batch, targets
        generator = torch.Generator().manual_seed(epoch)
        for step in steps:
            drawn = step.draw(torch.arange(len(images)), recipe.size, epoch, generator)
            images, aims = step.apply(images, aims, drawn)
        pixels = images[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
        return picture_uri(pixels[..., 0] if pixels.shape[2] == 1 else pixels, 112)

    strips = [Strip("as it is", [picture_uri(judged.training.images[0], 112)])]
    strips += [
        Strip(part.name.replace("_", " "), through([step])) for part, step in zip(recipe.augment, steps, strict=True)
    ]
    if len(steps) > 1:
        strips.append(Strip("all together", through(steps)))
    return "One training picture, as the network may have met it in different epochs:", strips


def _listed(recipe: recipes.NetworkRecipe) -> str:
    return ", ".join(part.name.replace("_", " ") for part in recipe.augment)
