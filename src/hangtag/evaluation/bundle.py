"""From a bundle's name to its evaluation: find the model, find its data, judge."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Predictor, Split
from hangtag.evaluation.evaluation import Evaluation, Progress, judge
from hangtag.evaluation.routed import routed

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
    from hangtag.data.split import training_and_validation

    if split not in ("test", "val"):
        raise HangtagError("usage_split", f"split should be 'test' or 'val', not {split!r}")
    predictor = bundle if isinstance(bundle, Predictor) else predict.load(bundle, engine=engine)
    card: Card | None = getattr(predictor, "card", None)
    name = card.name if card else type(predictor).__name__
    dataset = dataset_of(card, data, progress)
    if split == "test":
        if card:
            check_test(card, dataset)
        pictures, which = dataset.test(), "test"
    else:
        everything = dataset.training()
        if card and (reason := may_know_validation(card, dataset, everything)):
            raise HangtagError("usage_split", f"{name} {reason}: use --split test")
        pictures, which = training_and_validation(dataset, everything)[1], "validation"
    known = known_to(card, pictures)
    changed = changed_since(card, dataset) if card else ""
    data_text = f"{dataset.name}, {which} split{_of_all(known, pictures)}{'; ' * bool(changed)}{changed}"
    found = judge(routed(predictor, dataset, which, known), known, progress, name=name, data=data_text)
    reading = dataset.summary().to_dict() if dataset.summary else None
    return replace(found, reading=reading, standing=card.standing() if card else {})


def check_test(card: Card, dataset: Dataset) -> None:
    """Refuse to evaluate a model on validation images it was trained on, where these serve as the test too.

    Raises:
        HangtagError: `usage_split`.
    """
    if card.full and dataset.validation is not None and dataset.test_is_validation:
        raise HangtagError(
            "usage_split",
            f"{card.name} was trained on the validation images too (--full), and {dataset.name} has no other test: add "
            "a test folder, or name other data with --data",
        )


def changed_since(card: Card, dataset: Dataset) -> str:
    """What to say where a folder's files are not those a model was trained on; empty where they are or none knows."""
    known = card.data.get("files_digest")
    if not known or dataset.files_digest is None or card.data.get("name") != dataset.name:
        return ""
    if dataset.files_digest() == known:
        return ""
    apart = dataset.summary is not None and not dataset.summary().test_from
    doubt = ", and the test set is cut anew: it may have been trained on some of it" if apart else ""
    return f"the folder has changed since {card.name} was trained{doubt}"


def may_know_validation(card: Card, dataset: Dataset, everything: Split) -> str:
    """Why the validation pictures of a training half cannot judge this model; empty where they can.

    A folder that has grown is parted anew: most of what is held out of it now was learnt from before.
    """
    if card.full:
        return "was trained on the validation pictures too (--full)"
    if card.data.get("digest") != everything.digest():
        return "was trained on other data, and may know these validation pictures"
    if card.data.get("validation_from") and dataset.validation is None:
        return "was validated on a folder that is not there now, and trained on these pictures"
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
        **({"place": card.data["place"]} if card and "place" in card.data else {}),
    )
