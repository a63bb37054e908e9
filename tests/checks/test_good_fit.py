import pytest

from hangtag.checks.good_fit import good_fit


def test_good_fit_is_a_finding_with_its_numbers(evidence):
    found = good_fit(evidence())
    assert found.severity == "good"
    assert found.number == pytest.approx(0.02)
    assert "97.0% right" in found.sentence
    assert "2.0 points less" in found.sentence


@pytest.mark.parametrize("learnt", [None, 0.85, 1.0])  # unknown, underfitted, overfitted
def test_is_silent_where_the_fit_is_not_good(evidence, learnt):
    assert good_fit(evidence(training_accuracy=learnt)) is None


def test_a_gap_that_may_be_chance_is_called_that(evidence):
    labels = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    said = [1, 2, *labels[2:]]
    found = good_fit(evidence(labels=labels, said=said, training_accuracy=1.0, training_n=30))
    assert "20.0 points less, which of so few pictures may be chance" in found.sentence


def test_better_on_new_pictures_is_no_loss(evidence):
    found = good_fit(evidence(training_accuracy=0.945))
    assert "as often on new ones" in found.sentence
    assert "-" not in found.sentence
