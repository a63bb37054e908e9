"""Models that others made: a linear one whose right reading of pixels is known."""

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.predict import foreign
from hangtag.predict.foreign import fitted, readings

NAMES = ("dark", "bright")


class Threshold:
    """Bright if the mean of what it is given exceeds `limit`; logits, or probabilities."""

    size, params = 4, None

    def __init__(self, limit: float, *, logits: bool = True, takes_bytes: bool = False, classes: int = 2) -> None:
        self.limit, self.logits, self.takes_bytes, self.classes = limit, logits, takes_bytes, classes

    def answer(self, pixels):
        margin = 50 * (pixels.astype(np.float64).mean(axis=(1, 2)) - self.limit)
        scores = np.zeros((len(pixels), self.classes))
        scores[:, 1] = margin
        if not self.logits:
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
        return scores.astype(np.float32)


@pytest.fixture(scope="module")
def pictures():
    generator = np.random.default_rng(0)
    labels = np.arange(400) % 2
    images = generator.integers(74, 89, (400, 4, 4)) + 18 * labels[:, None, None]  # below 90, and above
    return images.astype(np.uint8), labels.astype(np.int64)


@pytest.mark.parametrize("way", [0, 1, 2, 3, 4])
def test_the_reading_a_model_was_made_for_is_found(pictures, way):
    images, labels = pictures
    made_for = readings(images)[way]
    limit = 90 * made_for.scale + made_for.shift
    predictor, tried = fitted(Threshold(limit), images, labels, NAMES)
    assert tried.accuracy[predictor.reading.name] == tried.accuracy[made_for.name]  # a commoner one may do as well
    assert (predictor.predict_proba(images).argmax(axis=1) == labels).mean() > 0.98


def test_it_says_which_reading_and_how_clear_that_was(pictures):
    images, labels = pictures
    _, tried = fitted(Threshold(90 / 255), images, labels, NAMES)
    assert tried.sentence.startswith("reads pixels as 0 to 1: ")
    assert "of 400 pictures right that it is not judged on" in tried.sentence
    assert "answers with logits" in tried.sentence

    class Indifferent(Threshold):
        def answer(self, pixels):
            return super().answer((pixels - pixels.min()) / (pixels.max() - pixels.min()))

    _, tried = fitted(Indifferent(0.5), images, labels, NAMES)
    assert "leaves open which was meant" in tried.sentence
    assert next(iter(tried.accuracy)) == "0 to 1"


@pytest.mark.parametrize("logits", [True, False])
def test_answers_are_probabilities_whatever_the_model_gives(pictures, logits):
    images, labels = pictures
    predictor, tried = fitted(Threshold(90 / 255, logits=logits), images, labels, NAMES)
    assert tried.logits is logits
    answers = predictor.predict_proba(images)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert predictor.predict_proba(images[:0]).shape == (0, 2)


def test_a_model_that_takes_bytes_is_given_bytes(pictures):
    images, labels = pictures
    predictor, tried = fitted(Threshold(90, takes_bytes=True), images, labels, NAMES)
    assert tried.sentence == "takes bytes, answers with logits"
    assert (predictor.predict_proba(images).argmax(axis=1) == labels).mean() > 0.98


def test_another_number_of_classes_is_refused(pictures):
    images, labels = pictures
    with pytest.raises(HangtagError, match="of 2 classes") as caught:
        fitted(Threshold(0.5, classes=3), images, labels, NAMES)
    assert caught.value.code == "bundle_incompatible"


def test_a_model_that_overflows_is_refused_only_if_it_always_does(pictures):
    images, labels = pictures

    class Overflows(Threshold):
        def answer(self, pixels):
            return np.where(pixels.max() > 1, np.nan, super().answer(pixels))

    assert fitted(Overflows(90 / 255), images, labels, NAMES)[0].reading.name == "0 to 1"
    with pytest.raises(HangtagError, match="not finite"):
        fitted(Overflows(float("nan")), images, labels, NAMES)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(HangtagError, match="there is no file") as caught:
        foreign.read(tmp_path / "x.onnx")
    assert caught.value.code == "bundle_not_found"
