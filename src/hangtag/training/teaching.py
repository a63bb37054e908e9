"""What teachers say of the training pictures, asked once and kept: a student learns from it beside the labels.

Source: Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
Departure: teachers are asked about the plain picture (and its mirror image, if the student meets that), not about each
augmented view as in "consistent teaching" (Beyer et al. 2021, arXiv 2106.05237): that costs the teacher's forward pass
at every step, several times the student's own step for the networks here, and could not be stored.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hangtag import predict
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import write_file
from hangtag.core.recipe import NetworkRecipe
from hangtag.core.types import Pictures, Predictor, Probabilities

_STEP = 1024  # pictures between two words on how far it is


@dataclass(frozen=True, eq=False)
class Teachers:
    """Opened bundles that agree with a recipe.

    Args:
        predictors: who is asked.
        record: what the card keeps of each: `{"bundle", "name", "sha256", "full"}`.
    """

    predictors: list[Predictor]
    record: list[dict[str, Any]]

    @property
    def know_validation(self) -> bool:
        """Whether one of them has learnt from the validation pictures."""
        return any(teacher["full"] for teacher in self.record)


def open_teachers(recipe: NetworkRecipe) -> Teachers:
    """The teachers `recipe` names.

    Raises:
        HangtagError: `bundle_*`; `bundle_incompatible` where they take other pictures than the recipe.
    """
    predictors: list[Predictor] = []
    record = []
    for name in recipe.teachers:
        teacher = predict.load(name)
        card = teacher.card
        if (card.size, card.colour) != (recipe.size, recipe.colour):
            theirs, ours = _pictures(card.size, card.colour), _pictures(recipe.size, recipe.colour)
            raise HangtagError(
                "bundle_incompatible", f"{name} takes {theirs}, and recipe {recipe.name!r} {ours}: give both the same"
            )
        predictors.append(teacher)
        record.append({"bundle": name, "name": card.name, "sha256": digest_of(card), "full": card.full})
    return Teachers(predictors, record)


def digest_of(card: Card) -> str:
    """SHA-256 of the file that answers for a bundle, which a temperature put into the card later leaves as it is."""
    files = card.files
    return str(files[next(name for name in ("model.onnx", "weights.safetensors") if name in files)]["sha256"])


def answers(
    teachers: Teachers,
    images: Pictures,
    class_names: tuple[str, ...],
    keep: Path,
    *,
    mirrored: bool,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Probabilities:
    """The mean of the teachers' probabilities for N pictures, (N, K).

    Args:
        teachers: who is asked.
        images: N pictures.
        class_names: K names the student learns.
        keep: file the answers are kept in, so that a run that goes on does not ask again.
        mirrored: ask about each picture's mirror image too, and take the mean.
        progress: told (what, done, in all).

    Raises:
        HangtagError: `bundle_incompatible` where a teacher knows other classes; `storage_*`.
    """
    for teacher, about in zip(teachers.predictors, teachers.record, strict=True):
        if teacher.class_names != class_names:
            raise HangtagError(
                "bundle_incompatible",
                f"{about['bundle']} tells apart {', '.join(teacher.class_names[:3])}, ..., and the student is to learn "
                f"{', '.join(class_names[:3])}, ...: teacher and student need the same classes in the same order",
            )
    shape = (len(images), len(class_names))
    if (known := _kept(keep, shape)) is not None:
        return known
    views = [images, images[:, :, ::-1]] if mirrored else [images]
    total = np.zeros(shape, np.float32)
    asked, in_all = 0, len(views) * len(teachers.predictors) * len(images)
    for teacher in teachers.predictors:
        for view in views:
            for start in range(0, len(images), _STEP):
                part = teacher.predict_proba(np.ascontiguousarray(view[start : start + _STEP]))
                total[start : start + _STEP] += part
                asked += len(part)
                progress("asking the teachers", asked, in_all)
    total /= total.sum(axis=1, keepdims=True)
    file = io.BytesIO()
    np.save(file, total, allow_pickle=False)
    write_file(keep, file.getvalue())
    return total


def _kept(path: Path, shape: tuple[int, int]) -> Probabilities | None:
    try:
        found: Probabilities = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None


def _pictures(size: int, colour: bool) -> str:
    return f"{'colour' if colour else 'grey'} pictures of {size} pixels"
