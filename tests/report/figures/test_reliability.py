import re

import numpy as np

from hangtag.metrics._temperature import tempered
from hangtag.report.figures.reliability import reliability


def answers(n=300, confidence=0.9, right=0.6):
    probabilities = np.full((n, 3), (1 - confidence) / 2, np.float32)
    probabilities[:, 0] = confidence
    labels = np.where(np.arange(n) < right * n, 0, 1).astype(np.int64)
    return probabilities, labels


def test_tells_confidence_truth_and_number_of_each_bin():
    probabilities, labels = answers()
    tips = re.findall(r'data-tip="([^"]*)"', reliability(probabilities, labels, None))
    assert tips == ["300 pictures: says 90.0%, right 60.0%"]


def test_draws_the_temperature_only_where_there_is_one():
    probabilities, labels = answers()
    assert "with temperature" in reliability(probabilities, labels, tempered(probabilities, 2.0))
    assert "with temperature" not in reliability(probabilities, labels, None)


def test_an_answer_of_all_or_nothing_is_drawn_inside_the_frame():
    drawn = reliability(np.eye(2, dtype=np.float32), np.array([0, 0]), None)
    assert "nan" not in drawn
    assert "2 pictures: says 100.0%, right 50.0%" in drawn
