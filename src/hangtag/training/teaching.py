"""What teachers say of the training pictures, asked once and kept: a student learns from it beside the labels.

Source: Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
Teachers are asked about the plain picture (and its mirror image, if the student meets that), or about a number of
augmented views which the student is then shown (`training/views.py`): better, and as many times as dear.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hangtag import predict
from hangtag.core.card import WEIGHTS, digest_of
from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular, write_file
from hangtag.core.recipe import NetworkRecipe
from hangtag.core.types import Pictures, Predictor, Probabilities
from hangtag.predict.bundle import open_bundle
from hangtag.predict.torch import TorchPredictor, from_weights
from hangtag.training.machine import fast_bf16
from hangtag.training.views import Views

KEEP_S = 30.0  # of asking about views that a killed run loses at most, or one view
_STEP = 2048  # pictures between two words on how far it is


@dataclass(frozen=True, eq=False)
class Teachers:
    """Opened bundles that agree with a recipe.

    Args:
        predictors: who is asked.
        record: what the card keeps of each: `{"bundle", "name", "sha256", "full", "data"}`; `data` is a digest.
    """

    predictors: list[Predictor]
    record: list[dict[str, Any]]

    def may_know_validation(self, data: str) -> str:
        """Why they may have learnt from the validation pictures of the data of this digest; empty if they cannot."""
        if any(teacher["full"] and teacher["data"] == data for teacher in self.record):
            return "a teacher has learnt from the validation pictures"
        if any(teacher["data"] != data for teacher in self.record):
            return "a teacher has learnt from other data, and may know the validation pictures"
        return ""


def open_teachers(recipe: NetworkRecipe, device: torch.device) -> Teachers:
    """The teachers `recipe` names; those that hold weights answer on `device` where that is no CPU.

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
        predictors.append(teacher if device.type == "cpu" else _on(device, name) or teacher)
        about = {"bundle": name, "name": card.name, "sha256": digest_of(card)}
        record.append({**about, "full": card.full, "data": card.data.get("digest")})
    return Teachers(predictors, record)


def _on(device: torch.device, name: str) -> Predictor | None:
    """The network of a bundle on `device`, or None where it has no weights, only a finished graph."""
    bundle = open_bundle(name)
    if WEIGHTS not in bundle.files:
        return None
    trained = from_weights(bundle.files[WEIGHTS], bundle.card)
    trained.deployed.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TorchPredictor(trained.deployed, trained.class_names, bf16=fast_bf16(device))


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
    _check_classes(teachers, class_names)
    shape = (len(images), len(class_names))
    known = _read(keep)
    if known is not None and known.dtype == np.float32 and known.shape == shape:
        return known
    views = [images, images[:, :, ::-1]] if mirrored else [images]
    asking = _Asking(teachers, len(views) * len(images), progress)
    total: Probabilities = np.sum([asking.about(view) for view in views], axis=0) / len(views)
    _keep(keep, total)
    return total


def answers_to_views(
    teachers: Teachers,
    views: Views,
    class_names: tuple[str, ...],
    keep: Path,
    shape: tuple[int, int],
    *,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> NDArray[np.float16]:
    """The mean of the teachers' probabilities for V views of N pictures, (V, N, K), in sixteen bits.

    Args:
        teachers: who is asked.
        views: the pictures.
        class_names: K names the student learns.
        keep: file the answers are kept in, those of some views already while others are asked about; students of the
            same views, teachers and pictures may share it.
        shape: V and N.
        progress: told (what, done, in all).

    Raises:
        HangtagError: `bundle_incompatible` where a teacher knows other classes; `storage_*`.
    """
    _check_classes(teachers, class_names)
    count, *each = *shape, len(class_names)
    kept = _read(keep)
    fits = kept is not None and kept.dtype == np.float16 and kept.shape[1:] == tuple(each)
    said = list(kept[:count]) if kept is not None and fits else []
    asking = _Asking(teachers, (count - len(said)) * shape[1], progress)
    saved = time.perf_counter()
    for number in range(len(said), count):
        said.append(asking.about(views.pictures(number)).astype(np.float16))
        if number == count - 1 or time.perf_counter() - saved > KEEP_S:
            _keep(keep, np.stack(said))
            saved = time.perf_counter()
    return np.stack(said)


class _Asking:
    """Asks all teachers, and says how far it is."""

    def __init__(self, teachers: Teachers, pictures: int, progress: Callable[[str, int, int], None]) -> None:
        self._teachers, self._progress = teachers.predictors, progress
        self._asked, self._in_all = 0, pictures * len(teachers.predictors)

    def about(self, images: Pictures) -> Probabilities:
        """The mean of their probabilities, (N, K)."""
        total: Probabilities | None = None
        for teacher in self._teachers:
            parts = []
            for start in range(0, len(images), _STEP):
                parts.append(teacher.predict_proba(np.ascontiguousarray(images[start : start + _STEP])))
                self._asked += len(parts[-1])
                self._progress("asking the teachers", self._asked, self._in_all)
            said = np.concatenate(parts)
            total = said if total is None else total + said
        assert total is not None
        mean: Probabilities = total / total.sum(axis=1, keepdims=True)
        return mean


def _check_classes(teachers: Teachers, class_names: tuple[str, ...]) -> None:
    for teacher, about in zip(teachers.predictors, teachers.record, strict=True):
        if teacher.class_names != class_names:
            raise HangtagError(
                "bundle_incompatible",
                f"{about['bundle']} tells apart {', '.join(teacher.class_names[:3])}, ..., and the student is to learn "
                f"{', '.join(class_names[:3])}, ...: teacher and student need the same classes in the same order",
            )


def _keep(path: Path, said: NDArray[Any]) -> None:
    """An array and, behind it, its SHA-256: a student would learn from a flipped bit without a word."""
    file = io.BytesIO()
    np.save(file, said, allow_pickle=False)
    write_file(path, file.getvalue() + hashlib.sha256(file.getvalue()).digest())


def _read(path: Path) -> NDArray[Any] | None:
    """What was kept, or None if that is absent or damaged."""
    try:
        content = read_regular(path, -1)
        found: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    size = hashlib.sha256().digest_size
    return found if hashlib.sha256(content[:-size]).digest() == content[-size:] else None


def _pictures(size: int, colour: bool) -> str:
    return f"{'colour' if colour else 'grey'} pictures of {size} pixels"
