import numpy as np

from hangtag.core.types import Predictor
from hangtag.predict.sklearn import SklearnPredictor


class Means:
    """Probability of the second class is the mean of the features."""

    def predict_proba(self, rows):
        assert rows.dtype == np.float32
        means = rows.mean(axis=1, dtype=np.float64)
        return np.stack([1 - means, means], axis=1)


def test_is_a_predictor_over_pixels_in_0_to_1():
    predictor = SklearnPredictor(Means(), ("dark", "bright"))
    assert isinstance(predictor, Predictor)
    images = np.stack([np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)])
    probabilities = predictor.predict_proba(images)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, [[1, 0], [0, 1]], atol=1e-6)


def test_takes_colour_pictures():
    predictor = SklearnPredictor(Means(), ("dark", "bright"))
    assert predictor.predict_proba(np.full((3, 4, 4, 3), 255, np.uint8)).shape == (3, 2)
