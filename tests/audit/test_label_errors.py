"""Planted label errors are found, and little else, however sure of itself the model is."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from hangtag.audit import label_errors


def judged(n=3000, classes=5, flipped=60, seed=0):
    """Probabilities of a model that is mostly right, labels some of which are flipped, and which those are."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, n)
    logits = rng.normal(0, 1, (n, classes))
    logits[np.arange(n), true] += rng.choice([5.0, 1.5], n, p=[0.8, 0.2])
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    wrong = rng.choice(n, flipped, replace=False)
    labels = true.copy()
    labels[wrong] = (true[wrong] + rng.integers(1, classes, flipped)) % classes
    return probabilities.astype(np.float32), labels, set(wrong.tolist())


def test_finds_most_of_what_was_planted_and_little_else():
    probabilities, labels, wrong = judged()
    found = {error.index for error in label_errors(probabilities, labels)}
    assert len(found & wrong) >= 0.5 * len(wrong)
    assert len(found & wrong) >= 0.7 * len(found)


def test_a_model_that_is_too_sure_of_itself_finds_the_same():
    probabilities, labels, _ = judged()
    surer = probabilities.astype(np.float64) ** 2
    surer /= surer.sum(axis=1, keepdims=True)
    plain, sure = ([error.index for error in label_errors(p, labels)] for p in (probabilities, surer))
    assert plain
    assert len(set(plain) ^ set(sure)) <= 1


def test_tells_the_surest_first_with_a_class_that_is_not_the_given_one():
    probabilities, labels, _ = judged()
    found = label_errors(probabilities, labels)
    assert [error.score for error in found] == sorted(error.score for error in found)
    for error in found:
        assert error.given == labels[error.index]
        assert error.suggested == probabilities[error.index].argmax() != error.given
        assert 0 <= error.score < 0.01
    json.dumps([asdict(error) for error in found])


def test_finds_nothing_where_the_model_agrees():
    probabilities = np.full((200, 4), 0.01)
    labels = np.arange(200) % 4
    probabilities[np.arange(200), labels] = 0.97
    assert label_errors(probabilities, labels) == []


def test_a_class_without_pictures_is_no_error():
    probabilities, labels, wrong = judged()
    kept = labels != 2
    found = label_errors(probabilities[kept], labels[kept])
    planted = set(np.flatnonzero(np.isin(np.flatnonzero(kept), list(wrong))).tolist())
    assert len(planted & {error.index for error in found}) > len(planted) / 2 > 1
    assert all(error.suggested == probabilities[kept][error.index].argmax() for error in found)


def test_no_pictures_have_no_errors():
    assert label_errors(np.zeros((0, 3)), np.zeros(0, np.int64)) == []


def test_refuses_shapes_that_disagree():
    with pytest.raises(ValueError, match="want"):
        label_errors(np.zeros((3, 2)), np.zeros(4, np.int64))
