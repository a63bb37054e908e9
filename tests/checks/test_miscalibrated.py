import pytest

from hangtag.checks.miscalibrated import miscalibrated


def test_surer_than_right_is_told_from_more_modest_than_right(evidence):
    sure, modest = miscalibrated(evidence(confidence=1.0)), miscalibrated(evidence(confidence=0.8))
    assert (sure.severity, sure.number) == ("warning", pytest.approx(0.05))
    assert "surer than it should be" in sure.sentence
    assert (modest.severity, modest.number) == ("serious", pytest.approx(0.15))
    assert "more modest" in modest.sentence


def test_a_handful_of_pictures_proves_nothing(evidence):
    assert miscalibrated(evidence(labels=[0, 1, 2], said=[0, 1, 1], confidence=0.8)).severity == "good"
