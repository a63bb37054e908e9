import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from hangtag import models
from hangtag.core import recipe as recipes
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, NetworkRecipe, Part
from hangtag.core.types import Predictor
from hangtag.predict.torch import Deployed, TorchPredictor, from_weights, normalise

RECIPE = NetworkRecipe(name="x", model=Part("lenet5", filters=(2, 3), dense=(4, 5), dropout=0.5), flip_average=True)
CARD = Card(
    name="x",
    class_names=("a", "b", "c"),
    size=28,
    colour=False,
    recipe=recipes.to_dict(RECIPE),
    normalise={"mean": [0.3], "std": [0.4]},
)


def network() -> nn.Module:
    torch.manual_seed(0)
    return models.create(RECIPE.model, 3, 1, 28)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 28, 28), dtype=np.uint8)


def test_probabilities_are_the_softmax_of_normalised_pixels_averaged_with_the_mirror_image(images):
    model = network().eval()
    inputs = (torch.from_numpy(images)[:, None] / 255 - 0.3) / 0.4
    with torch.no_grad():
        expected = (model(inputs).softmax(1) + model(inputs.flip(3)).softmax(1)) / 2
    got = TorchPredictor(Deployed(model, [0.3], [0.4], True), CARD.class_names).predict_proba(images)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert got.dtype == np.float32


def test_no_picture_and_many_pictures_are_answered_alike(images, monkeypatch):
    predictor = TorchPredictor(Deployed(network(), [0.3], [0.4], False), CARD.class_names)
    whole = predictor.predict_proba(images)
    monkeypatch.setattr("hangtag.predict.torch.BATCH", 3)
    np.testing.assert_allclose(predictor.predict_proba(images), whole, atol=1e-6)
    assert predictor.predict_proba(images[:0]).shape == (0, 3)


def test_judges_in_eval_mode_and_leaves_the_network_in_the_mode_it_had(images):
    deployed = Deployed(network(), [0.3], [0.4], False).train()
    predictor = TorchPredictor(deployed, CARD.class_names)
    np.testing.assert_array_equal(predictor.predict_proba(images), predictor.predict_proba(images))  # no dropout
    assert deployed.training
    assert deployed.model.training


def test_colour_is_one_mean_and_spread_per_channel():
    images = torch.rand(2, 3, 4, 4) * 255
    mean, std = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1), torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1)
    torch.testing.assert_close(normalise(images, mean, std), (images / 255 - mean) / std)


def test_is_a_predictor():
    assert isinstance(TorchPredictor(Deployed(network(), [0.3], [0.4], False), CARD.class_names), Predictor)


def test_weights_and_card_give_the_network_back(images):
    model = network()
    predictor = from_weights(save(model.state_dict()), CARD)
    expected = TorchPredictor(Deployed(model, [0.3], [0.4], True), CARD.class_names).predict_proba(images)
    np.testing.assert_array_equal(predictor.predict_proba(images), expected)


def changed(**changes) -> Card:
    from dataclasses import replace

    return replace(CARD, **changes)


@pytest.mark.parametrize(
    ("card", "hint"),
    [
        (changed(class_names=("a", "b")), "classifier.6.weight"),
        (changed(recipe={**CARD.recipe, "model": {"name": "lenet5"}}), "features.0.weight"),
        (changed(recipe={**CARD.recipe, "model": {"name": "nothing"}}), "nothing"),
        (changed(recipe={"name": "x"}), "model"),
        (changed(recipe={}), "name"),
        (changed(recipe=recipes.to_dict(ClassicalRecipe(name="k", estimator=Part("knn")))), "classical"),
        (changed(normalise={}), "normalise"),
        (changed(normalise={"mean": ["x"], "std": [1]}), "normalise"),
        (changed(normalise={"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}), "normalise"),
    ],
)
def test_weights_that_do_not_fit_their_card_are_refused(card, hint):
    with pytest.raises(HangtagError) as caught:
        from_weights(save(network().state_dict()), card)
    assert caught.value.code == "bundle_incompatible"
    assert hint in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\xff" * 100])
def test_what_is_no_safetensors_is_refused(content):
    with pytest.raises(HangtagError) as caught:
        from_weights(content, CARD)
    assert caught.value.code == "bundle_incompatible"
