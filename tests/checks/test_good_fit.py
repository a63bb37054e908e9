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
