import numpy as np
import pytest

from hangtag.metrics._temperature import COOLEST, HOTTEST, fit_temperature, tempered
from hangtag.metrics.ece import expected_calibration_error


def honest(n=20_000, k=5, seed=0):
    """Probabilities that mean what they say, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (n, k))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (probabilities.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1)
    return probabilities.astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_finds_the_temperature_that_was_hidden(temperature):
    probabilities, labels = honest()
    assert fit_temperature(tempered(probabilities, 1 / temperature), labels) == pytest.approx(temperature, rel=0.05)


def test_what_it_finds_halves_the_calibration_error_on_other_pictures():
    fitted, judged = honest(seed=0), honest(seed=1)
    temperature = fit_temperature(tempered(fitted[0], 0.4), fitted[1])
    too_sure = tempered(judged[0], 0.4)
    before = expected_calibration_error(too_sure, judged[1])
    assert expected_calibration_error(tempered(too_sure, temperature), judged[1]) < before / 2


def test_no_label_changes_and_rows_sum_to_one():
    probabilities, _ = honest(500)
    for temperature in (COOLEST, 3.0, HOTTEST):
        after = tempered(probabilities, temperature)
        np.testing.assert_array_equal(after.argmax(axis=1), probabilities.argmax(axis=1))
        np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-5)


def test_certain_answers_stay_finite():
    certain = np.eye(3, dtype=np.float32)
    assert np.isfinite(tempered(certain, 0.1)).all()
    assert COOLEST <= fit_temperature(certain, np.array([0, 1, 2])) <= HOTTEST
    assert COOLEST <= fit_temperature(certain, np.array([1, 2, 0])) <= HOTTEST


def test_refuses_nothing_to_fit_on():
    with pytest.raises(ValueError, match="N > 0"):
        fit_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))
