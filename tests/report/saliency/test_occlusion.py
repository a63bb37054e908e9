import numpy as np
import pytest

from hangtag.report.saliency import scaled
from hangtag.report.saliency.occlusion import Occlusion


class Corner:
    """Looks at the upper left 6 x 6 pixels only: the brighter, the likelier class 1."""

    class_names = ("dark", "bright")

    def predict_proba(self, images):
        bright = images[:, :6, :6].reshape(len(images), -1).mean(axis=1) / 255 * 0.9 + 0.05
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)


class Linear:
    """softmax(pixels @ weights) with weights of a seed: what training found, or drawn at random."""

    class_names = ("a", "b", "c")

    def __init__(self, weights):
        self.weights = weights

    def predict_proba(self, images):
        logits = images.reshape(len(images), -1) / 255 @ self.weights
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("colour", [False, True])
def test_finds_the_place_that_decides(colour):
    images = np.zeros((3, 28, 28, 3) if colour else (3, 28, 28), np.uint8)
    images[:, 1:20, 1:20] = 220
    maps = Occlusion(Corner())(images, np.array([1, 1, 1]), np.array([0, 0, 0]))
    assert maps.shape == (3, 28, 28)
    assert maps[:, :5, :5].min() > 0
    assert maps[:, 14:, 14:].max() == 0


def test_nothing_is_asked_where_background_would_hide_background():
    class Counting(Corner):
        asked = 0

        def predict_proba(self, images):
            self.asked += len(images)
            return super().predict_proba(images)

    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 3:6, 3:6] = 200  # under the first two patches along both axes; the second picture is empty
    counting = Counting()
    maps = Occlusion(counting)(images, np.array([1, 1]), np.array([0, 0]))
    assert counting.asked == 2 + 4
    assert maps[0].max() > 0
    assert maps[1].max() == 0


def test_maps_of_a_randomised_model_differ():
    """The sanity check of Adebayo et al. 2018: what a map shows must come from what the model has learnt."""
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (16, 20, 20)).astype(np.uint8)
    trained = np.zeros((20, 20, 3))
    trained[3:9, 3:9, 0], trained[11:17, 11:17, 1] = 1, 1
    said, true = np.zeros(16, np.int64), np.ones(16, np.int64)
    own = Occlusion(Linear(trained.reshape(-1, 3)))
    random = Occlusion(Linear(rng.normal(0, 0.3, (400, 3))))
    first, again, other = own(images, said, true), own(images, said, true), random(images, said, true)
    np.testing.assert_array_equal(first, again)
    assert rank_correlation(first, other) < 0.3


def rank_correlation(first, second):
    """Spearman's, mean over pictures."""
    ranks = [maps.reshape(len(maps), -1).argsort(axis=1).argsort(axis=1) for maps in (first, second)]
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(*ranks, strict=True)])


def test_each_map_is_scaled_by_itself():
    maps = np.stack([np.eye(4), 5 + 3 * np.eye(4), np.full((4, 4), 7)]).astype(np.float32)
    out = scaled(maps)
    np.testing.assert_allclose(out[0], np.eye(4))
    np.testing.assert_allclose(out[1], np.eye(4))
    np.testing.assert_array_equal(out[2], 0)
