"""Accuracy against coverage on held-out images: what a card keeps of it."""

from __future__ import annotations

import numpy as np

from hangtag.core.decision import decision_for
from hangtag.evaluation.coverage import FEWEST, decision_record


def answers(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated answers among three classes: as often right as they say."""
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.4, 1, n)
    labels = rng.integers(0, 3, n)
    predicted = np.where(rng.random(n) < sure, labels, (labels + 1) % 3)
    probabilities = np.full((n, 3), 0.0, np.float32)
    probabilities += ((1 - sure) / 2)[:, None]
    probabilities[np.arange(n), predicted] = sure
    return probabilities, labels


def test_a_threshold_reaches_its_accuracy_on_images_it_was_not_found_on():
    record = decision_record(*answers(4000), "x")
    threshold = decision_for(record, 0.95).confidence
    probabilities, labels = answers(20_000, seed=1)
    chosen = probabilities.max(axis=1) >= threshold
    assert 0.945 < (probabilities.argmax(axis=1) == labels)[chosen].mean() < 0.98
    assert 0.88 < threshold < 0.96  # calibrated from 0.9 to 1: 95% on average


def test_thresholds_fall_and_coverage_grows_to_all():
    curve = np.array(decision_record(*answers(500), "x")["curve"])
    assert (np.diff(curve[:, 0]) < 0).all()
    assert (np.diff(curve[:, 1]) > 0).all()
    assert curve[-1, 1] == 1
    assert len(curve) <= 50


def test_equally_sure_images_are_accepted_all_or_none():
    probabilities = np.tile(np.array([[0.7, 0.3]], np.float32), (100, 1))
    record = decision_record(probabilities, np.zeros(100, np.int64), "x")
    assert [point[1] for point in record["curve"]] == [1.0]
    assert record["curve"][0][0] <= probabilities[0, 0]


def test_few_images_prove_little():
    probabilities = np.tile(np.array([[0.9, 0.1]], np.float32), (FEWEST, 1))
    assert decision_record(probabilities[1:], np.zeros(FEWEST - 1, np.int64), "x") == {}
    (point,) = decision_record(probabilities, np.zeros(FEWEST, np.int64), "x")["curve"]
    assert 0.97 < point[2] < 0.99  # 50 of 50 right
