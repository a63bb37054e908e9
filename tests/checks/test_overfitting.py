import numpy as np
import pytest

from hangtag.checks.overfitting import overfitting


def test_a_wide_gap_between_learnt_and_new_pictures_is_overfitting(evidence):
    found = overfitting(evidence(training_accuracy=1.0))  # 95% on the test
    assert (found.severity, found.number) == ("warning", pytest.approx(0.05))
    assert "100.0% right on pictures it learnt from, 95.0% on new ones" in found.sentence
    labels = np.arange(4000) % 4
    assert overfitting(evidence(said=np.where(labels, labels, 1), training_accuracy=0.9)).severity == "serious"  # 75%


def test_a_gap_that_chance_explains_is_none(evidence):
    assert overfitting(evidence(labels=[0, 1, 2, 3], said=[0, 1, 2, 2], training_accuracy=1.0)).severity == "good"


def test_without_training_pictures_nothing_is_said(evidence):
    assert overfitting(evidence(training_accuracy=None)) is None
