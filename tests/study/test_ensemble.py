"""Bundles put together answer as they should, and only where they agree."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.data.sets import drawn
from hangtag.evaluation import evaluate_bundle
from hangtag.predict import load
from hangtag.study.ensemble import ensemble, fit_weights

from .conftest import quiet

pytestmark = pytest.mark.usefixtures("small")


def images():
    return drawn.pictures(40, 7)[0] if isinstance(drawn.pictures(40, 7), tuple) else drawn.pictures(40, 7).images


def test_an_average_answers_with_the_mean_of_its_members(trained, tmp_path):
    names = [trained("one"), trained("two", seed=1)]
    found = ensemble(names, out=tmp_path / "e", watch=quiet())
    mean = np.mean([load(name).predict_proba(images()) for name in names], axis=0)
    np.testing.assert_allclose(load(found.bundle).predict_proba(images()), mean, atol=1e-6)
    card = cards.read(tmp_path / "e/bundle")
    assert [member["sha256"] for member in card.training["members"]] == [
        cards.read(_path(name)).files["model.onnx"]["sha256"] for name in names
    ]
    assert card.parity["agreement"] == 1.0
    assert evaluate_bundle(found.bundle, split="val").accuracy == found.val_accuracy
    assert all(member.val_accuracy is not None for member in found.members)
    json.dumps(asdict(found), allow_nan=False)


def test_half_the_bytes_answer_the_same_and_the_card_says_how_nearly(trained, tmp_path):
    names = [trained("one"), trained("two", seed=1)]
    whole = ensemble(names, out=tmp_path / "whole", watch=quiet())
    half = ensemble(names, half=True, out=tmp_path / "half", watch=quiet())
    sizes = [(_path(one.bundle) / "model.onnx").stat().st_size for one in (whole, half)]
    assert sizes[1] < 0.8 * sizes[0]  # of so small a network half is its graph
    assert 0 < half.parity["max_abs_difference"] < 0.01
    answered = [load(one.bundle).predict_proba(images()) for one in (whole, half)]
    np.testing.assert_allclose(*answered, atol=0.01)


def _path(name):
    from pathlib import Path

    return Path(name)


def test_a_network_and_a_classical_model_make_one_graph(trained, tmp_path):
    pytest.importorskip("skl2onnx")
    from hangtag import experiment
    from hangtag.core.recipe import ClassicalRecipe

    recipe = ClassicalRecipe(name="forest", data="drawn", estimator=Part("logistic"))
    forest = experiment.run(recipe, out=tmp_path / "forest", watch=quiet())
    names = [trained("one"), str(forest.bundle)]
    found = ensemble(names, out=tmp_path / "e", watch=quiet())
    mean = np.mean([load(name).predict_proba(images()) for name in names], axis=0)
    np.testing.assert_allclose(load(found.bundle).predict_proba(images()), mean, atol=1e-5)


def test_weights_make_the_labels_likeliest_and_stay_on_the_simplex():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 400)
    good = np.full((400, 3), 0.1, np.float32)
    good[np.arange(400), np.where(generator.random(400) < 0.8, labels, (labels + 1) % 3)] = 0.8
    fair = np.full((400, 3), 0.2, np.float32)
    fair[np.arange(400), np.where(generator.random(400) < 0.6, labels, (labels + 1) % 3)] = 0.6
    noise = generator.dirichlet((1, 1, 1), 400).astype(np.float32)
    weights = fit_weights([good, fair, noise], labels)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()

    def loss(w):
        mixed = sum(a * p for a, p in zip(w, (good, fair, noise), strict=True))
        return -np.log(mixed[np.arange(400), labels]).mean()

    grid = [(a / 20, b / 20, 1 - (a + b) / 20) for a in range(21) for b in range(21 - a)]
    assert loss(weights) <= min(map(loss, grid)) + 1e-6


def test_weighted_is_no_worse_in_likelihood_than_the_average(trained, tmp_path):
    names = [trained("one"), trained("two", seed=1)]
    plain = ensemble(names, out=tmp_path / "a", watch=quiet())
    weighted = ensemble(names, how="weighted", out=tmp_path / "w", watch=quiet())
    assert weighted.val_loss <= plain.val_loss + 1e-6
    assert sum(member.weight for member in weighted.members) == pytest.approx(1)


def test_a_soup_of_one_network_twice_is_that_network_and_has_weights(trained, tmp_path):
    one = trained("one")
    found = ensemble([one, one], how="soup", out=tmp_path / "s", watch=quiet())
    np.testing.assert_allclose(load(found.bundle).predict_proba(images()), load(one).predict_proba(images()), atol=1e-5)
    assert set(cards.read(tmp_path / "s/bundle").files) == {"model.onnx", "weights.safetensors"}


def test_a_soup_counts_its_batch_norms_on_the_training_pictures(trained, tmp_path):
    from safetensors.numpy import load_file

    norms = {"model": Part("fast", widths=(4, 4, 8))}
    names = [trained("fast_one", **norms), trained("fast_two", seed=1, **norms)]
    found = ensemble(names, how="soup", out=tmp_path / "s", watch=quiet())
    states = [load_file(f"{name}/weights.safetensors") for name in (*names, found.bundle)]
    counted = next(key for key in states[0] if key.endswith("running_mean"))
    assert not np.allclose(states[2][counted], (states[0][counted] + states[1][counted]) / 2)
    weight = next(key for key in states[0] if key.endswith("features.0.weight"))
    np.testing.assert_allclose(states[2][weight], (states[0][weight] + states[1][weight]) / 2, atol=1e-6)


def test_finished_it_is_shown_at_once_and_other_members_are_refused(trained, tmp_path):
    names = [trained("one"), trained("two", seed=1)]
    first = ensemble(names, out=tmp_path / "e", watch=quiet())
    assert ensemble(names, out=tmp_path / "e", watch=quiet()) == first
    with pytest.raises(HangtagError) as caught:
        ensemble(names[::-1], out=tmp_path / "e", watch=quiet())
    assert caught.value.code == "run_other_settings"


@pytest.mark.parametrize(
    ("other", "how", "code", "says"),
    [
        ({"name": "few", "classes": ("0-4",)}, "average", "bundle_incompatible", "same classes"),
        ({"name": "large", "size": 32}, "average", "bundle_incompatible", "32 pixels"),
        (
            {"name": "wide", "model": Part("lenet5", filters=(3, 4), dense=(16, 8))},
            "soup",
            "bundle_incompatible",
            "differs",
        ),
        ({"name": "all", "full": True}, "weighted", "usage_value", "--full"),
    ],
)
def test_members_that_do_not_agree_are_one_line(trained, tmp_path, other, how, code, says):
    with pytest.raises(HangtagError, match=says) as caught:
        ensemble([trained("one"), trained(**other)], how=how, out=tmp_path / "e", watch=quiet())
    assert caught.value.code == code
    assert "\n" not in caught.value.message


def test_one_bundle_is_no_ensemble(trained):
    with pytest.raises(HangtagError, match="two bundles or more"):
        ensemble([trained("one")])


def test_of_members_that_know_the_validation_pictures_nothing_is_said(trained, tmp_path):
    found = ensemble([trained("one"), trained("all", full=True)], out=tmp_path / "e", watch=quiet())
    assert (found.val_accuracy, found.members[0].val_accuracy) == (None, None)
    assert cards.read(tmp_path / "e/bundle").full


def test_members_that_learnt_from_other_pictures_are_not_judged(trained, tmp_path, monkeypatch):
    names = [trained("one"), trained("two", seed=1)]
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 250)
    told = []
    found = ensemble(names, out=tmp_path / "e", watch=replace(quiet(), message=told.append))
    assert found.val_accuracy is None
    assert cards.read(tmp_path / "e/bundle").metrics == {}
    assert "other data" in told[0]
    with pytest.raises(HangtagError, match="other data"):
        ensemble(names, how="weighted", out=tmp_path / "w", watch=quiet())


def test_other_pictures_are_another_ensemble(trained, tmp_path, monkeypatch):
    names = [trained("one"), trained("two", seed=1)]
    ensemble(names, out=tmp_path / "e", watch=quiet())
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 250)
    with pytest.raises(HangtagError) as caught:
        ensemble(names, out=tmp_path / "e", watch=quiet())
    assert caught.value.code == "run_other_settings"
