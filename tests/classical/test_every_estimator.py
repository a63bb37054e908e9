"""Promises every registered estimator keeps. A new estimator is covered the moment it is registered."""

import numpy as np
import pytest

from hangtag import classical
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, Part
from hangtag.core.types import Split
from hangtag.predict.sklearn import SklearnPredictor

SMALL = {"random_forest": {"n_estimators": 5}, "gradient_boosting": {"max_iter": 3}}
NAMES = ("bar", "ring", "slope")


def drawn(n=150, size=16, colour=False, seed=0):
    """Upright bars, rings and slopes, in noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    rows, columns = np.mgrid[:size, :size] / (size - 1)
    shapes = [
        np.abs(columns - 0.5) < 0.2,
        np.abs(np.hypot(rows - 0.5, columns - 0.5) - 0.35) < 0.1,
        (rows + columns) / 2,
    ]
    images = np.stack(shapes).astype(np.float64)[labels] * 180 + generator.normal(30, 20, (n, size, size))
    images = images.clip(0, 255).astype(np.uint8)
    if colour:
        images = np.stack([images, images // 2, 255 - images], axis=3)
    return Split(images, labels.astype(np.int64), NAMES)


def recipe(name, **options):
    return ClassicalRecipe(name=name, size=16, estimator=Part(name, **{**SMALL.get(name, {}), **options}))


@pytest.fixture(scope="module", params=classical.register.names())
def name(request):
    return request.param


@pytest.fixture(scope="module", params=[False, True], ids=["grey", "colour"])
def case(request, name):
    training = drawn(colour=request.param)
    return SklearnPredictor(classical.fit(recipe(name), training), NAMES), drawn(60, colour=request.param, seed=1)


def test_learns_shapes_it_can_tell_apart(case):
    predictor, unseen = case
    assert (predictor.predict_proba(unseen.images).argmax(axis=1) == unseen.labels).mean() > 0.9


def test_gives_one_probability_per_class(case):
    predictor, unseen = case
    probabilities = predictor.predict_proba(unseen.images)
    assert probabilities.shape == (60, 3)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_judges_each_picture_on_its_own(case):
    predictor, unseen = case
    np.testing.assert_allclose(
        predictor.predict_proba(unseen.images)[7:8], predictor.predict_proba(unseen.images[7:8]), atol=1e-5
    )


def test_no_pictures_get_no_answers(case):
    predictor, unseen = case
    assert predictor.predict_proba(unseen.images[:0]).shape == (0, 3)


def test_same_seed_same_answers(name):
    answers = [
        SklearnPredictor(classical.fit(recipe(name), drawn()), NAMES).predict_proba(drawn(20, seed=2).images)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*answers)


def test_onnx_answers_as_the_estimator_or_it_is_said_that_there_is_none(case, name):
    if not classical.register.facts(name)["onnx"]:
        assert "comparison only" in " ".join(classical.register.get(name).__globals__["__doc__"].split())
        return
    from hangtag.export.parity import compare
    from hangtag.export.sklearn import to_onnx
    from hangtag.predict.onnx import OnnxPredictor

    predictor, unseen = case
    colour = unseen.images.ndim == 4
    content = to_onnx(predictor._estimator, 16, colour, 3)
    card = Card(name=name, class_names=NAMES, size=16, colour=colour)
    parity = compare(OnnxPredictor(content, card, threads=1), predictor, unseen.images)
    assert parity.max_abs_difference < 2e-5
    assert parity.agreement == 1


def test_two_classes_are_enough(name):
    training = drawn()
    two = training.take(np.flatnonzero(training.labels < 2))
    two = Split(two.images, two.labels, NAMES[:2])
    estimator = classical.fit(recipe(name), two)
    predictor = SklearnPredictor(estimator, NAMES[:2])
    assert (predictor.predict_proba(two.images).argmax(axis=1) == two.labels).mean() > 0.95
    if classical.register.facts(name)["onnx"]:
        from hangtag.export.sklearn import to_onnx
        from hangtag.predict.onnx import OnnxPredictor

        card = Card(name=name, class_names=NAMES[:2], size=16, colour=False)
        served = OnnxPredictor(to_onnx(estimator, 16, False, 2), card, threads=1)
        np.testing.assert_allclose(served.predict_proba(two.images), predictor.predict_proba(two.images), atol=2e-5)


def test_refuses_an_option_it_does_not_have(name):
    with pytest.raises(HangtagError) as caught:
        classical.fit(recipe(name, no_such_option=1), drawn())
    assert caught.value.code == "usage_unknown_key"
    assert "no_such_option" in caught.value.message


def test_refuses_a_class_without_pictures(name):
    split = drawn()
    with pytest.raises(HangtagError, match="no picture of 'hat'") as caught:
        classical.fit(recipe(name), Split(split.images, split.labels, (*NAMES, "hat")))
    assert caught.value.code == "data_count"


def test_handful_of_pictures_is_fitted_or_refused_in_one_line(name):
    if name == "knn":
        with pytest.raises(HangtagError, match=r"n_neighbors.*n_samples") as caught:
            classical.fit(recipe(name), drawn(4))
        assert caught.value.code == "training_failed"
        return
    probabilities = SklearnPredictor(classical.fit(recipe(name), drawn(4)), NAMES).predict_proba(drawn(3).images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
