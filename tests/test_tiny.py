"""The whole path in miniature. Run this first, and read it first: it is the shortest manual there is.

pytest tests/test_tiny.py
"""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import hangtag
from hangtag.data.sets import drawn


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A recipe says everything that decides a run; a run ends in a bundle."""
    recipe = replace(hangtag.recipe("lenet5"), data="drawn", epochs=4, batch_size=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawn, "TRAINING_PICTURES", 1_500)  # instead of 6,000
        return hangtag.train(recipe, out=tmp_path_factory.mktemp("tiny") / "run")


@pytest.fixture(scope="module")
def test_pictures():
    """uint8 pictures, int64 labels, class names."""
    return drawn.pictures(200, seed=2)


def test_training_learns(run):
    assert run.val_accuracy > 0.5  # chance is 0.1
    assert run.history[-1]["loss"] < run.history[0]["loss"]


def test_a_bundle_is_a_folder_and_no_pickle(run, tmp_path):
    from pathlib import Path

    assert sorted(path.name for path in Path(run.bundle).iterdir()) == [
        "card.json",
        "model.onnx",
        "weights.safetensors",
    ]


def test_a_predictor_turns_pictures_into_probabilities(run, test_pictures):
    probabilities = hangtag.load(run.bundle).predict_proba(test_pictures.images)
    assert (probabilities.shape, probabilities.dtype) == ((200, 10), np.float32)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (probabilities.argmax(1) == test_pictures.labels).mean() > 0.5


def test_evaluation_counts_what_is_right_and_what_is_taken_for_what(run, monkeypatch):
    monkeypatch.setattr(drawn, "TEST_PICTURES", 200)
    evaluation = hangtag.evaluate(run.bundle)
    assert evaluation.n == 200
    assert evaluation.confusion.sum() == 200
    assert evaluation.accuracy == evaluation.confusion.trace() / 200


def test_any_picture_becomes_a_label(run, test_pictures, tmp_path):
    model = hangtag.load(run.bundle)
    image = test_pictures.images[0]
    picture = Image.fromarray(image)
    picture.save(tmp_path / "shirt.png")
    content = io.BytesIO()
    picture.save(content, "PNG")
    answers = [model.recognise(source) for source in (tmp_path / "shirt.png", content.getvalue(), picture, image)]
    assert len({(answer.label, answer.confidence) for answer in answers}) == 1
    assert answers[0].label in test_pictures.class_names


def test_what_cannot_be_done_is_said_in_one_line():
    with pytest.raises(hangtag.HangtagError, match="Did you mean 'lenet5'"):
        hangtag.recipe("lenet")
