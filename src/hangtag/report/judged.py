"""A model with everything a report says of it, measured once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hangtag import checks, predict
from hangtag.audit import Audit, NearDuplicate, label_errors, near_duplicates, odd_pictures
from hangtag.audit.odd_pictures import odd_photos
from hangtag.audit.photos import Sketches, read, small_side
from hangtag.audit.same_photos import same_photos
from hangtag.checks import Evidence, Finding
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Labels, Predictor, Probabilities, Split
from hangtag.data.split import few_of_each, joined, validation_of
from hangtag.evaluation.bundle import check_test, dataset_of, known_to
from hangtag.evaluation.evaluation import Evaluation, Progress, answers, score
from hangtag.predict.bundle import Bundle, open_bundle
from hangtag.report.calibration import Calibration, calibrate
from hangtag.report.member import member_for

Unlearnt: TypeAlias = Callable[[Split], Probabilities]
"""Answers, (N, K), for N pictures by models that have not learnt from them (`hangtag.out_of_fold`)."""

TRAINING_SAMPLE = 2_000  # pictures learnt from that are judged: their accuracy is known to about a point
LATENCY_RUNS = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class Judged:
    """What a report is made of. What could not be had is None or empty, and `missing` says why.

    Args:
        bundle: the model, checked.
        predictor: the same, loaded.
        dataset: what it was judged on.
        test, probabilities, evaluation: the test pictures and what the model says of them.
        training: the pictures it learnt from, as far as they are there.
        validation, validation_probabilities: the pictures held out of training.
        calibration: the temperature, or why there is none.
        audit: of the test pictures and of the whole training half, where labels of its validation pictures only are
            judged unless out-of-fold answers were asked for; None if nobody looked.
        everything: all pictures of the training half, validation included.
        held_out_rows: places in `everything` of the validation pictures.
        throughput: pictures per second, many at once.
        latency_ms: milliseconds for one picture alone, the median.
        findings: of every check, the gravest first.
        missing: why the training pictures are not there, or empty.
    """

    bundle: Bundle
    predictor: Predictor
    dataset: Dataset
    test: Split
    probabilities: Probabilities
    evaluation: Evaluation
    training: Split | None
    everything: Split | None
    held_out_rows: NDArray[np.int64]
    validation: Split | None
    validation_probabilities: Probabilities | None
    calibration: Calibration
    audit: Audit | None
    throughput: float
    latency_ms: float
    findings: list[Finding]
    missing: str

    @property
    def card(self) -> Card:
        """The bundle's card."""
        return self.bundle.card

    @property
    def out_of_fold(self) -> bool:
        """Whether the label of every training picture was judged."""
        if self.audit is None or self.everything is None:
            return False
        return self.audit.judged.get("training") == len(self.everything)

    @cached_property
    def validation_rows(self) -> dict[int, int]:
        """Places in `everything` of the validation pictures, to their places among these."""
        return {int(row): place for place, row in enumerate(self.held_out_rows)}

    @property
    def predicted(self) -> Labels:
        """(N,) what the model takes each test picture for."""
        labels: Labels = self.probabilities.argmax(axis=1)
        return labels

    @property
    def confidence(self) -> NDArray[np.float32]:
        """(N,) how sure it is of that."""
        confidence: NDArray[np.float32] = self.probabilities.max(axis=1)
        return confidence


def measure(
    name: str | Path,
    data: str | None = None,
    progress: Progress | None = None,
    *,
    audited: bool = True,
    unlearnt: Unlearnt | None = None,
) -> Judged:
    """Judge a bundle on the test pictures of its data, and look at everything else a report tells.

    Args:
        name: a bundle's name, its folder, or the folder of a run; of a bundle with members see `member_for`.
        data: what `data.find` takes; the data the model was trained on if not given.
        progress: told (what, done, in all).
        audited: look for suspect labels, near-duplicates and odd pictures too.
        unlearnt: answers for the whole training half by models that have not learnt from what they judge; without it
            the labels of its validation pictures alone are judged, by the model itself.

    Raises:
        HangtagError: what finding the model or its test pictures, and judging, raise.
    """
    tell = progress or (lambda what, done, total: None)
    bundle, dataset = member_for(open_bundle(name), lambda card: dataset_of(card, data, progress))
    card, predictor = bundle.card, predict.from_bundle(bundle)
    check_test(card, dataset)
    test = known_to(card, dataset.test())
    began = time.perf_counter()
    probabilities = answers(predictor, test, progress, name=card.name, data=f"{dataset.name}, test split")
    throughput = len(test) / max(1e-9, time.perf_counter() - began)
    evaluation = score(probabilities, test, name=card.name, data=f"{dataset.name}, test split")
    evaluation = replace(evaluation, standing=card.standing())

    everything, missing = _training(dataset)
    own = everything is not None and everything.digest() == card.data.get("digest")
    training, validation, held_out_rows = everything, None, np.zeros(0, np.int64)
    unlearnable = np.zeros(0, np.bool_)
    if everything is not None:
        everything, unlearnable = _with_validation(dataset, everything, card.full)
        known = known_to(card, everything)
        if known is not everything:  # parted first, as training parts them: no picture changes sides
            numbers = [everything.class_names.index(each) for each in known.class_names]
            unlearnable = unlearnable[np.isin(everything.labels, numbers)]
        everything, held_out_rows = known, np.flatnonzero(unlearnable)
        training = everything.take(np.flatnonzero(~unlearnable))
        validation = None if card.full else everything.take(held_out_rows)
        if own and (few := card.recipe.get("few")):
            training = few_of_each(training, few, card.recipe.get("seed", 0))
    learnt = None  # of other data it has learnt nothing, or nobody knows what
    if own and training is not None and training.class_names == test.class_names:
        learnt = training_sample(training)
    learnt_right = None
    if learnt is not None:
        said = answers(predictor, learnt, progress, name=card.name, what="judging pictures it learnt from")
        learnt_right = float((said.argmax(axis=1) == learnt.labels).mean())
    held_out = held_out_judged = None
    if own and validation is not None and validation.class_names == test.class_names:
        held_out = answers(predictor, validation, progress, name=card.name, what="judging validation pictures")
        held_out_judged = score(held_out, validation, name=card.name, data=f"{dataset.name}, validation split")
    calibration = calibrate(bundle, held_out, validation, probabilities, test.labels, missing, own)

    audit = None
    if everything is not None and dataset.test_is_validation:  # else each test image would be its own near-duplicate
        everything, held_out_rows = everything.take(np.flatnonzero(~unlearnable)), np.zeros(0, np.int64)
    if audited:
        looked = held_out if len(held_out_rows) else None
        out_of_fold = unlearnt(everything) if unlearnt and everything is not None else None
        splits = {"test": test} | ({} if everything is None else {"training": everything})
        photos = _photos(dataset, splits, tell)
        audit = _audit(dataset.name, test, probabilities, everything, held_out_rows, looked, out_of_fold, photos, tell)
    across = None if audit is None else audit.near_duplicates.get(("training", "test"))
    evidence = Evidence(
        evaluation=evaluation,
        probabilities=probabilities,
        labels=test.labels,
        training_accuracy=learnt_right,
        training_n=0 if learnt is None else len(learnt),
        training_counts=training.counts() if own and training is not None else {},
        validation=held_out_judged,
        history=card.training.get("history") or [],
        suspect_labels=None if audit is None else len(audit.label_errors["test"]),
        twins_across=len({pair.second for pair in across}) if own and across is not None else None,
        odd_pictures=None if audit is None else len(audit.odd_pictures["test"]),
    )
    return Judged(
        bundle=bundle,
        predictor=predictor,
        dataset=dataset,
        test=test,
        probabilities=probabilities,
        evaluation=evaluation,
        training=training,
        everything=everything,
        held_out_rows=held_out_rows,
        validation=validation,
        validation_probabilities=held_out,
        calibration=calibration,
        audit=audit,
        throughput=throughput,
        latency_ms=_latency_ms(predictor, test),
        findings=checks.run(evidence),
        missing=missing,
    )


def _training(dataset: Dataset) -> tuple[Split | None, str]:
    """The training half, or why there is none: a report on the test pictures alone is still a report."""
    try:
        return dataset.training(), ""
    except HangtagError as error:
        if not error.code.startswith("data"):
            raise
        return None, error.message


def _with_validation(dataset: Dataset, everything: Split, full: bool) -> tuple[Split, NDArray[np.bool_]]:
    """All images of the training half, those of a validation folder at its end, and which of them validate."""
    n = len(everything)
    if dataset.validation is not None:
        everything = joined(everything, dataset.validation())
        held_out = np.arange(len(everything)) >= n
    else:
        held_out = np.zeros(n, np.bool_) if full else validation_of(everything)
    return everything, held_out & (not full)


def training_sample(split: Split) -> Split:
    """TRAINING_SAMPLE pictures spread evenly over the split, whatever its order."""
    order = np.random.default_rng(0).permutation(len(split))[:TRAINING_SAMPLE]
    return split.take(np.sort(order))


def _photos(dataset: Dataset, splits: dict[str, Split], tell: Progress) -> dict[str, Sketches] | None:
    """Sketches of the images of each split if they are photos: a model's input may be too small to tell two apart."""
    if "validation" in dataset.photos:  # "training" holds two folders then, whose files may have the same names
        return None
    files = {name: dataset.photos[name]() for name in splits} if dataset.photos else {}
    if not files or small_side(list(files.values())) is not None:
        return None
    found = {}
    for name, split in splits.items():
        seen, photos = read(files[name], tell)
        rows = {source: row for row, source in enumerate(seen.sources)}
        if not rows.keys() >= set(split.sources):  # a file has gone since the split was read
            return None
        found[name] = photos.take([rows[source] for source in split.sources])
    return found


def _audit(
    name: str,
    test: Split,
    probabilities: Probabilities,
    everything: Split | None,
    rows: NDArray[np.int64],
    held_out: Probabilities | None,
    out_of_fold: Probabilities | None,
    photos: dict[str, Sketches] | None,
    tell: Progress,
) -> Audit:
    """What is wrong with the data, as far as a model can tell of pictures it has not learnt from."""
    what, steps = "looking the data over", 5
    tell(what, 0, steps)
    splits, judged = {"test": test}, {"test": len(test)}
    errors = {"test": label_errors(probabilities, test.labels)}
    if everything is not None:
        splits["training"] = everything
    if everything is not None and out_of_fold is not None:
        judged["training"] = len(everything)
        errors["training"] = label_errors(out_of_fold, everything.labels)
    elif everything is not None and held_out is not None:
        judged["training"] = len(rows)
        found = label_errors(held_out, everything.labels[rows])
        errors["training"] = [replace(error, index=int(rows[error.index])) for error in found]
    tell(what, 1, steps)
    odd = {
        split: odd_pictures(images.images, images.labels)
        if photos is None
        else odd_photos(photos[split], images.labels)
        for split, images in splits.items()
    }
    tell(what, 2, steps)

    def pairs_of(first: str, second: str) -> list[NearDuplicate]:
        if photos is not None:
            return same_photos(photos[first], None if first == second else photos[second])
        return near_duplicates(splits[first].images, None if first == second else splits[second].images)

    pairs = {("test", "test"): pairs_of("test", "test")}
    tell(what, 3, steps)
    if everything is not None:
        twins = pairs_of("test", "training")  # asked this way round there are fewer to compare
        pairs["training", "test"] = [replace(pair, first=pair.second, second=pair.first) for pair in twins]
        tell(what, 4, steps)
        pairs["training", "training"] = pairs_of("training", "training")
    tell(what, steps, steps)
    return Audit(name, splits, judged, errors, pairs, odd)


def _latency_ms(predictor: Predictor, test: Split) -> float:
    """Median over single pictures, after a few to warm up."""
    spent = []
    for i in range(LATENCY_RUNS + 3):
        one = test.images[i % len(test)][None]
        began = time.perf_counter()
        predictor.predict_proba(one)
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent[3:])
