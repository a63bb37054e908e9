"""A model with everything a report says of it, measured once."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hangtag import audit, checks, predict
from hangtag.audit import LabelError, NearDuplicate, OddPicture
from hangtag.checks import Evidence, Finding
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.types import Dataset, Labels, Predictor, Probabilities, Split
from hangtag.data.split import stratified
from hangtag.evaluation.bundle import dataset_of
from hangtag.evaluation.evaluation import Evaluation, Progress, answers, score
from hangtag.predict.bundle import Bundle, open_bundle
from hangtag.report.calibration import Calibration, calibrate

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
        suspects, validation_suspects: labels that are probably wrong, of test and of validation pictures.
        across: near-duplicates, `first` a test picture and `second` one of `everything`.
        within: near-duplicates among the test pictures.
        odd: test pictures worth a look.
        everything: all pictures of the training half, validation included.
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
    validation: Split | None
    validation_probabilities: Probabilities | None
    calibration: Calibration
    suspects: list[LabelError]
    validation_suspects: list[LabelError]
    across: list[NearDuplicate] | None
    within: list[NearDuplicate]
    odd: list[OddPicture]
    throughput: float
    latency_ms: float
    findings: list[Finding]
    missing: str

    @property
    def card(self) -> Card:
        """The bundle's card."""
        return self.bundle.card

    @property
    def predicted(self) -> Labels:
        """(N,) what the model takes each test picture for."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> Probabilities:
        """(N,) how sure it is of that."""
        return self.probabilities.max(axis=1)


def measure(
    name: str | Path,
    data: str | None = None,
    progress: Progress | None = None,
    *,
    audited: bool = True,
) -> Judged:
    """Judge a bundle on the test pictures of its data, and look at everything else a report tells.

    Args:
        name: a bundle's name, its folder, or the folder of a run.
        data: what `data.find` takes; the data the model was trained on if not given.
        progress: told (what, done, in all).
        audited: look for suspect labels, near-duplicates and odd pictures too.

    Raises:
        HangtagError: what finding the model or its test pictures, and judging, raise.
    """
    tell = progress or (lambda what, done, total: None)
    bundle = open_bundle(name)
    card, predictor = bundle.card, predict.load(bundle.folder)
    dataset = dataset_of(card, data, progress)
    test = dataset.test()
    began = time.perf_counter()
    probabilities = answers(predictor, test, progress, name=card.name, data=f"{dataset.name}, test split")
    throughput = len(test) / max(1e-9, time.perf_counter() - began)
    evaluation = score(probabilities, test, name=card.name, data=f"{dataset.name}, test split")

    everything, missing = _training(dataset)
    training, validation = everything, None
    if everything is not None and not card.full:
        training, validation = stratified(everything)
    learnt = _sample(training) if training is not None and training.class_names == test.class_names else None
    learnt_right = None
    if learnt is not None:
        said = answers(predictor, learnt, progress, name=card.name, what="judging pictures it learnt from")
        learnt_right = float((said.argmax(axis=1) == learnt.labels).mean())
    held_out = held_out_judged = None
    if validation is not None and validation.class_names == test.class_names:
        held_out = answers(predictor, validation, progress, name=card.name, what="judging validation pictures")
        held_out_judged = score(held_out, validation, name=card.name, data=f"{dataset.name}, validation split")
    own = everything is not None and everything.digest() == card.data.get("digest")
    calibration = calibrate(bundle, held_out, validation, probabilities, test.labels, missing, own)

    suspects: list[LabelError] = []
    held_out_suspects: list[LabelError] = []
    across: list[NearDuplicate] | None = None
    within: list[NearDuplicate] = []
    odd: list[OddPicture] = []
    if audited:
        tell("looking for suspect labels", 0, 2)
        suspects = audit.label_errors(probabilities, test.labels)
        tell("looking for suspect labels", 1, 2)
        if held_out is not None and validation is not None:
            held_out_suspects = audit.label_errors(held_out, validation.labels)
        tell("looking for suspect labels", 2, 2)
        odd = audit.odd_pictures(test.images, test.labels)
        across, within = _duplicates(test, everything, tell)
    evidence = Evidence(
        evaluation=evaluation,
        probabilities=probabilities,
        labels=test.labels,
        training_accuracy=learnt_right,
        training_n=0 if learnt is None else len(learnt),
        training_counts={} if training is None else training.counts(),
        validation=held_out_judged,
        history=card.training.get("history") or [],
        kept_epoch=card.training.get("best_epoch"),
        suspect_labels=len(suspects) if audited else None,
        twins_across=None if across is None else len({pair.first for pair in across}),
        odd_pictures=len(odd) if audited else None,
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
        validation=validation,
        validation_probabilities=held_out,
        calibration=calibration,
        suspects=suspects,
        validation_suspects=held_out_suspects,
        across=across,
        within=within,
        odd=odd,
        throughput=throughput,
        latency_ms=_latency_ms(predictor, test),
        findings=checks.run(evidence),
        missing=missing,
    )


def cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _training(dataset: Dataset) -> tuple[Split | None, str]:
    """The training half, or why there is none: a report on the test pictures alone is still a report."""
    try:
        return dataset.training(), ""
    except HangtagError as error:
        if not error.code.startswith("data"):
            raise
        return None, error.message


def _sample(split: Split) -> Split:
    """Pictures spread evenly over the split, whatever its order."""
    order = np.random.default_rng(0).permutation(len(split))[:TRAINING_SAMPLE]
    return split.take(np.sort(order))


def _duplicates(
    test: Split, everything: Split | None, tell: Progress
) -> tuple[list[NearDuplicate] | None, list[NearDuplicate]]:
    """Near-duplicates across the splits and within the test, told in slices so that the bar moves."""
    what = "looking for near-duplicates"
    within = audit.near_duplicates(test.images)
    if everything is None or everything.images.shape[1:] != test.images.shape[1:]:
        return None, within
    across: list[NearDuplicate] = []
    tell(what, 0, len(test))
    across = audit.near_duplicates(test.images, everything.images)
    tell(what, len(test), len(test))
    return across, within


def _latency_ms(predictor: Predictor, test: Split) -> float:
    """Median over single pictures, after a few to warm up."""
    spent = []
    for i in range(LATENCY_RUNS + 3):
        one = test.images[i % len(test)][None]
        began = time.perf_counter()
        predictor.predict_proba(one)
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent[3:])
