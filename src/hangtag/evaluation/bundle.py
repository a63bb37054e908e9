"""From a bundle's name to its evaluation: find the model, find its data, judge."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Literal

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Predictor, Split
from hangtag.evaluation.evaluation import Evaluation, Progress, judge

if TYPE_CHECKING:
    from hangtag.predict import Engine


def evaluate_bundle(
    bundle: str | os.PathLike[str] | Predictor,
    data: str | os.PathLike[str] | None = None,
    split: Literal["test", "val"] = "test",
    progress: Progress | None = None,
    engine: Engine = "onnxruntime",
) -> Evaluation:
    """How good a trained model is on pictures it has not learnt from.

    Args:
        bundle: a path, a name looked up as `core.paths.find_bundle` does, or a loaded predictor.
        data: what `data.find` takes; the data the model was trained on if not given.
        split: "test", or "val" for the validation pictures that were held out of the training ones.
        progress: told (what, done, in all), also while data are fetched.
        engine: what runs the model, as `predict.load` takes it.

    Raises:
        HangtagError: `usage_split` if the model was trained on the validation pictures too; what finding the model
            (`bundle_*`) or the data (`data_*`) raises; what `judge` raises.
    """
    from hangtag import predict
    from hangtag.data.split import stratified

    if split not in ("test", "val"):
        raise HangtagError("usage_split", f"split should be 'test' or 'val', not {split!r}")
    predictor = bundle if isinstance(bundle, Predictor) else predict.load(bundle, engine=engine)
    card: Card | None = getattr(predictor, "card", None)
    name = card.name if card else type(predictor).__name__
    dataset = dataset_of(card, data, progress)
    if split == "test":
        pictures, which = dataset.test(), "test"
    else:
        everything = dataset.training()
        if card and (reason := may_know_validation(card, everything)):
            raise HangtagError("usage_split", f"{name} {reason}: use --split test")
        pictures, which = stratified(everything)[1], "validation"
    known = known_to(card, pictures)
    data_text = f"{dataset.name}, {which} split{_of_all(known, pictures)}"
    found = judge(predictor, known, progress, name=name, data=data_text)
    return dataclasses.replace(found, standing=card.standing()) if card else found


def may_know_validation(card: Card, everything: Split) -> str:
    """Why the validation pictures of a training half cannot judge this model; empty where they can.

    A folder that has grown is parted anew: most of what is held out of it now was learnt from before.
    """
    if card.full:
        return "was trained on the validation pictures too (--full)"
    if card.data.get("digest") != everything.digest():
        return "was trained on other data, and may know these validation pictures"
    return ""


def known_to(card: Card | None, split: Split) -> Split:
    """The pictures a model can have an answer for: of one that was taught some of its data's classes, those of these.

    A model that just happens to know other classes than the data has is not helped: that would hide what it gets wrong.
    """
    from hangtag.data.split import only

    partial = card is not None and "classes_in_all" in card.data and set(card.class_names) <= set(split.class_names)
    return only(split, card.class_names) if card is not None and partial else split


def _of_all(known: Split, split: Split) -> str:
    ours, of = len(known.class_names), len(split.class_names)
    return "" if ours == of else f", {ours} of {of} classes"


def dataset_of(card: Card | None, data: str | os.PathLike[str] | None, progress: Progress | None) -> Dataset:
    """The data set a model is judged on: what `data` names, else what its card says it was trained on."""
    from hangtag import data as datasets

    return datasets.find(
        data,
        name=card.data.get("name", "fashion-mnist") if card else "fashion-mnist",
        size=card.size if card else 28,
        colour=card.colour if card else False,
        progress=progress,
    )
