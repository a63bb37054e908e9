"""One run of a study: from a recipe, or a model that is there already, to all that is known of it.

These functions are asked for by name, each in a process of its own (`study.process`); they take and return plain JSON.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from hangtag import classical, experiment, predict
from hangtag import data as datasets
from hangtag.checks import Evidence
from hangtag.checks.good_fit import good_fit
from hangtag.checks.overfitting import overfitting
from hangtag.checks.underfitting import underfitting
from hangtag.core import recipe as recipes
from hangtag.core.card import ONNX, Card
from hangtag.core.clock import process_age_s
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, write_file
from hangtag.core.optional import require
from hangtag.core.recipe import ClassicalRecipe
from hangtag.core.types import Dataset, Pictures, Predictor, Probabilities, Split
from hangtag.data.split import few_of_each, only, some_classes, training_and_validation
from hangtag.evaluation.bundle import changed_since, check_test, known_to, may_know_validation
from hangtag.evaluation.evaluation import Evaluation, Progress, answers, score
from hangtag.predict import foreign
from hangtag.predict.bundle import Bundle, open_bundle
from hangtag.predict.foreign import ForeignPredictor, Reading
from hangtag.report.judged import training_sample
from hangtag.report.member import member_for
from hangtag.study import latency
from hangtag.watch import Watch

Half: TypeAlias = Literal["test", "val"]
_ORPHAN_S = 120.0  # a run whose study was killed saves and stops: wait for it


def rehearse(given: Sequence[dict[str, Any]], watch: Watch) -> None:
    """Build what each recipe names and throw it away: a wrong name or option is told before anything is trained.

    Raises:
        HangtagError: `usage_*`, `extra_missing`, `bundle_*` for what a recipe starts from.
    """
    for chosen in map(recipes.from_dict, given):
        if isinstance(chosen, ClassicalRecipe):
            classical.create(chosen)
            continue
        require("torch", extra="train")
        from hangtag import augment, models
        from hangtag.training import averages, optimisers, schedules

        if chosen.start is not None:
            from hangtag.training.start import read

            read(chosen.start)
        model = models.create(chosen.model, 10, 3 if chosen.colour else 1, chosen.size)
        augment.create(chosen.augment)
        chosen.schedule.call(schedules.register.get(chosen.schedule.name), 0.0)
        chosen.optimiser.call(optimisers.register.get(chosen.optimiser.name), model)
        if chosen.average:
            chosen.average.call(averages.register.get(chosen.average.name), model)


def train(
    recipe: dict[str, Any], name: str, data: str | None, split: Half, folder: str, device: str, watch: Watch
) -> dict[str, Any]:
    """Train a recipe in `FOLDER/run`, or go on, and judge what came out.

    Args:
        recipe: as `core.recipe.to_dict` gives it.
        name, data: the data set, as `data.find` takes it.
        split: the pictures to judge on.
        folder: where the run lies, and `answers.npy`, (N, K) probabilities.
        device: "auto", "cpu", "cuda" or "mps".
        watch: who is told.

    Raises:
        HangtagError: what training and judging raise.
        KeyboardInterrupt: if stopped; the same call goes on.
    """
    place, kept = Path(folder) / "run", list[Predictor]()
    with owning(place, "run_busy", f"another process is training in {place}", wait_s=_ORPHAN_S):
        pass
    chosen = recipes.from_dict(recipe)
    if chosen.kind == "classical" and not (place / "bundle").exists():
        (place / "result.json").unlink(missing_ok=True)  # it was fitted, and died with its process before it was judged
    run = experiment.run(
        chosen, data=data, out=place, device=device, watch=watch, clock=process_age_s, keep=kept.append
    )
    predictor = kept[0] if run.bundle is None else predict.load(run.bundle)
    dataset = datasets.find(data, name=name, size=chosen.size, colour=chosen.colour, progress=watch.reading)
    classes = some_classes(chosen.classes, dataset.class_names) if chosen.classes else ()
    halves = _Halves(dataset, classes, few=chosen.few, seed=chosen.seed)
    judged = halves.judge(predictor, split, Path(folder) / "answers.npy", chosen.name, watch)
    timed = {}
    if run.bundle is None:  # the model ends with this process
        watch.message("timing its answers")
        timed = latency.measure([predictor], [halves.pictures(split).images])[0].to_dict()
    return {
        **judged,
        "val_accuracy": run.val_accuracy,
        "val_loss": run.val_loss,
        "seconds": run.seconds,
        "peak_rss_mb": run.peak_rss_mb,
        "params": run.params,
        "file_mb": (Path(run.bundle) / ONNX).stat().st_size / 1e6 if run.bundle else None,
        "epochs": len(run.history) or None,
        "bundle": run.bundle,
        "latency": timed or None,
    }


def open_and_judge(model: str, name: str, data: str | None, split: Half, folder: str, watch: Watch) -> dict[str, Any]:
    """Judge a model that is there already: a bundle, or the file of one that others made.

    Args:
        model: a bundle's folder, or an `.onnx` or `.keras` file.
        name, data, split, folder, watch: as for `train`.

    Raises:
        HangtagError: what opening and judging raise; `usage_split` for validation pictures a bundle may know.
    """
    path, given = Path(model), Path(folder) / "answers.npy"
    predictor: Predictor
    facts: dict[str, Any]
    if path.suffix in foreign.ENDINGS:
        network = foreign.read(path)
        dataset = datasets.find(data, name=name, size=network.size or 28, progress=watch.reading)
        halves = _Halves(dataset)
        sample = training_sample(halves.pictures("train" if split == "val" else "val"))  # not what it is judged on
        reader, tried = foreign.fitted(network, sample.images, sample.labels, dataset.class_names)
        facts = {
            "file_mb": path.stat().st_size / 1e6,
            "params": network.params,
            "reading": dataclasses.asdict(reader.reading),
            "logits": tried.logits,
            "remark": tried.sentence,
        }
        predictor, unfair = reader, ""
        judged = halves.judge(predictor, split, given, path.name, watch)
    else:
        bundle, dataset = _member(path, name, data, watch.reading)
        recogniser = predict.from_bundle(bundle)
        card = recogniser.card
        everything = dataset.training()
        unfair = may_know_validation(card, dataset, everything)
        if unfair and split == "val":
            raise HangtagError("usage_split", f"{card.name} {unfair}: use --split test")
        if split == "test":
            check_test(card, dataset)
        if reason := changed_since(card, dataset):
            watch.message(reason)
        some = known_to(card, everything).class_names
        halves = _Halves(dataset, some, few=card.recipe.get("few"), seed=card.recipe.get("seed", 0))
        own = card.data.get("digest") == everything.digest()  # of other data nobody knows what it learnt from
        judged = halves.judge(recogniser, split, given, card.name, watch, learnt=own)
        facts = _facts(card)
        predictor = recogniser
    validation = {}
    if not unfair:
        evaluation = score(answers(predictor, halves.pictures("val"), watch.reading), halves.pictures("val"))
        validation = {"val_accuracy": evaluation.accuracy, "val_loss": evaluation.loss}
    return {**judged, **facts, **validation, "bundle": model}


def time_answers(
    models: Sequence[dict[str, Any]], name: str, data: str | None, split: Half, watch: Watch
) -> list[dict[str, Any] | None]:
    """How quickly each of the models answers, in rounds over all; None for one that can no longer be opened.

    Args:
        models: each `{"model"}`, a bundle's folder; or with `{"reading", "logits"}` too, a file others made.
        name, data, split, watch: as for `train`.
    """
    opened: list[tuple[Predictor, Pictures] | None] = []
    pictures: dict[tuple[int, bool], Pictures] = {}
    for one in models:
        try:
            predictor, size, colour = _opened(one, name, data)
        except HangtagError as error:
            watch.message(f"{one['model']} cannot be timed: {error.message}")
            opened.append(None)
            continue
        if (size, colour) not in pictures:
            dataset = datasets.find(data, name=name, size=size, colour=colour, progress=watch.reading)
            pictures[size, colour] = _Halves(dataset).pictures(split).images
        opened.append((predictor, pictures[size, colour]))
    there = [one for one in opened if one is not None]
    found = latency.measure(
        [predictor for predictor, _ in there],
        [images for _, images in there],
        lambda done, total: watch.reading("timing answers", done, total),
    )
    times = iter(found)
    return [None if one is None else next(times).to_dict() for one in opened]


class _Halves:
    """The pictures of a data set that judging needs, each half opened once and only if asked for.

    Args:
        dataset: whose halves.
        classes: the pictures of these; none named: of all.
        few, seed: what was learnt from: so many pictures of each class, drawn so; None: all.
    """

    def __init__(self, dataset: Dataset, classes: Sequence[str] = (), *, few: int | None = None, seed: int = 0) -> None:
        self.dataset, self._classes, self._few, self._seed = dataset, classes or dataset.class_names, few, seed
        self._test: Split | None = None
        self._parted: tuple[Split, Split] | None = None

    def pictures(self, split: Half | Literal["train"]) -> Split:
        """Test, validation, or a sample of the pictures learnt from."""
        if split == "test":
            if self._test is None:
                self._test = only(self.dataset.test(), self._classes)
            return self._test
        if self._parted is None:
            training, validation = (only(part, self._classes) for part in training_and_validation(self.dataset))
            if self._few is not None:
                training = few_of_each(training, self._few, self._seed)
            self._parted = training_sample(training), validation
        return self._parted[split == "val"]

    def judge(
        self, predictor: Predictor, split: Half, given: Path, name: str, watch: Watch, *, learnt: bool = True
    ) -> dict[str, Any]:
        """Scores, and the verdict on the fit if it learnt from this data; the answers go to the file `given`."""
        pictures = self.pictures(split)
        on = f"{self.dataset.name}, {'test' if split == 'test' else 'validation'} split"
        said = answers(predictor, pictures, watch.reading, name=name, data=on)
        evaluation = score(said, pictures, name=name, data=on)
        file = io.BytesIO()
        np.save(file, said, allow_pickle=False)
        write_file(given, file.getvalue())
        found = {
            "n": evaluation.n,
            "accuracy": evaluation.accuracy,
            "loss": evaluation.loss,
            "f1": evaluation.f1,
            "per_class": {row["label"]: row["f1"] for row in evaluation.per_class},
            "train_accuracy": None,
            "fit": None,
        }
        if learnt:
            sample = self.pictures("train")
            known = answers(predictor, sample, watch.reading, name=name, what="judging pictures it learnt from")
            right = float((known.argmax(axis=1) == sample.labels).mean())
            found |= {"train_accuracy": right, "fit": fit_verdict(evaluation, said, pictures, right, len(sample))}
        return found


def fit_verdict(
    evaluation: Evaluation, said: Probabilities, pictures: Split, training_accuracy: float, training_n: int
) -> dict[str, str]:
    """`{"code", "verdict", "sentence"}` of the check that speaks: good fit, overfitting or underfitting."""
    evidence = Evidence(
        evaluation=evaluation,
        probabilities=said,
        labels=pictures.labels,
        training_accuracy=training_accuracy,
        training_n=training_n,
    )
    found = [finding for check in (good_fit, underfitting, overfitting) if (finding := check(evidence)) is not None]
    finding = next(finding for finding in found if finding.code == "HT000" or finding.severity != "good")
    return {"code": finding.code, "verdict": finding.name, "sentence": finding.sentence}


def _facts(card: Card) -> dict[str, Any]:
    """What a bundle's card tells of its training."""
    size = card.files.get(ONNX, {}).get("bytes") or sum(file["bytes"] for file in card.files.values())
    where = card.training.get("device")
    remark = f"was trained before; its time and memory are what its card says, on {where}" if where else None
    return {
        "remark": "; ".join(filter(None, (card.unfinished_text(), remark))) or None,
        **({"unfinished": True} if card.unfinished else {}),
        "seconds": card.training.get("seconds"),
        "peak_rss_mb": card.training.get("peak_rss_mb"),
        "epochs": card.training.get("epochs"),
        "params": card.params or None,
        "file_mb": size / 1e6,
    }


def _member(path: Path, name: str, data: str | None, reading: Progress | None = None) -> tuple[Bundle, Dataset]:
    """The model of a bundle that a data set's images go to, and the data set."""

    def find(card: Card) -> Dataset:
        return datasets.find(data, name=name, size=card.size, colour=card.colour, progress=reading)

    return member_for(open_bundle(path), find)


def _opened(model: dict[str, Any], name: str, data: str | None) -> tuple[Predictor, int, bool]:
    """A model to be timed, and which pictures it takes."""
    if "reading" not in model:
        recogniser = predict.from_bundle(_member(Path(model["model"]), name, data)[0])
        return recogniser, recogniser.card.size, recogniser.card.colour
    network = foreign.read(Path(model["model"]))
    class_names = datasets.find(data, name=name).class_names
    size = network.size or 28
    return ForeignPredictor(network, class_names, Reading(**model["reading"]), model["logits"]), size, False
