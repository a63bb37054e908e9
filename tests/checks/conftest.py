import dataclasses

import numpy as np
import pytest

from hangtag.checks import Evidence
from hangtag.core.types import Split
from hangtag.evaluation.evaluation import score

NAMES = ("Shirt", "Coat", "Bag", "Boot")


def judged(labels, said, confidence, names=NAMES):
    """(probabilities, labels, Evaluation) of a model that says `said` with `confidence`, the rest spread evenly."""
    labels, said = np.asarray(labels, np.int64), np.asarray(said)
    others = (1 - np.broadcast_to(confidence, said.shape)) / (len(names) - 1)
    probabilities = np.repeat(others[:, None], len(names), axis=1).astype(np.float32)
    probabilities[np.arange(len(said)), said] = confidence
    split = Split(np.zeros((len(labels), 2, 2), np.uint8), labels, names)
    return probabilities, labels, score(probabilities, split)


def with_mistakes(labels, mistakes, seed=0):
    """What a model says that is wrong in `mistakes` places, by the next class but one."""
    said = np.array(labels).copy()
    places = np.random.default_rng(seed).permutation(len(said))[:mistakes]
    said[places] = (said[places] + 1 + np.arange(mistakes) % 3) % 4
    return said


@pytest.fixture
def evidence():
    """evidence(said=..., confidence=..., **changes): 4,000 pictures of four classes, 200 mistakes, all else well."""

    def make(*, labels=None, said=None, confidence=0.95, **changes):
        labels = np.arange(4000) % 4 if labels is None else np.asarray(labels)
        said = with_mistakes(labels, len(labels) // 20) if said is None else said
        probabilities, labels, evaluation = judged(labels, said, confidence)
        whole = Evidence(
            evaluation=evaluation,
            probabilities=probabilities,
            labels=labels,
            training_accuracy=0.97,
            training_n=4000,
            training_counts=dict.fromkeys(NAMES, 1000),
            validation=evaluation,
            history=[{"epoch": i + 1, "val_loss": loss} for i, loss in enumerate((0.5, 0.3, 0.2, 0.21, 0.22))],
            suspect_labels=0,
            twins_across=0,
            odd_pictures=0,
        )
        return dataclasses.replace(whole, **changes)

    return make
