import numpy as np

from hangtag.checks.underfitting import underfitting


def test_wrong_on_what_it_learnt_is_underfitting(evidence):
    found = underfitting(evidence(training_accuracy=0.85))
    assert (found.severity, found.number, found.bound) == ("warning", 0.85, "least")
    assert underfitting(evidence(training_accuracy=0.93)).severity == "good"


def test_one_answer_for_everything_is_serious(evidence):
    found = underfitting(evidence(said=np.zeros(4000, int), training_accuracy=0.25))
    assert found.severity == "serious"
    assert "25.0% of the time" in found.sentence


def test_a_model_that_learnt_by_heart_is_not_underfitted(evidence):
    assert underfitting(evidence(said=np.zeros(4000, int), training_accuracy=1.0)).severity == "good"
