import numpy as np
import pytest

from hangtag.metrics.ece import expected_calibration_error


def test_is_zero_when_confidence_is_the_share_of_hits():
    probabilities = np.tile(np.array([[0.75, 0.25]], np.float32), (4, 1))
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)


def test_is_the_gap_when_every_answer_is_overconfident():
    probabilities = np.tile(np.array([[0.9, 0.1]], np.float32), (10, 1))
    assert expected_calibration_error(probabilities, np.arange(10) % 2) == pytest.approx(0.4, abs=1e-6)


def test_gaps_of_different_bins_do_not_cancel():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)
    assert expected_calibration_error(probabilities, np.array([1, 0])) == pytest.approx((0.9 + 0.4) / 2, abs=1e-6)


def test_agrees_with_a_loop_over_bins():
    generator = np.random.default_rng(0)
    probabilities, labels = generator.dirichlet(np.ones(4), 400), generator.integers(0, 4, 400)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    total = 0.0
    for i in range(15):
        inside = (confidence > i / 15) & (confidence <= (i + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - correct[inside].mean())
    assert expected_calibration_error(probabilities, labels) == pytest.approx(total)
