"""Balanced class weights: scikit-learn's numbers, torch's mean, and no weight lost in mixing or smoothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from hangtag import classical
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, Part, from_dict, override, to_dict
from hangtag.core.types import Split
from hangtag.predict.torch import TorchPredictor
from hangtag.training.class_weights import class_weights, expected_weights


def uneven(*counts: int) -> Split:
    """Noise, a little brighter from class to class: classes overlap."""
    labels = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(0)
    images = np.clip(rng.normal(100 + 12 * labels[:, None, None], 60, (len(labels), 8, 8)), 0, 255).astype(np.uint8)
    return Split(images, labels.astype(np.int64), tuple(f"c{i}" for i in range(len(counts))))


def test_the_weights_are_scikit_learns():
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    split = uneven(200, 3, 40)
    wanted = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=split.labels)
    np.testing.assert_allclose(class_weights(split).numpy(), wanted, rtol=1e-6)
    assert class_weights(split)[torch.from_numpy(split.labels)].mean() == pytest.approx(1)


def test_the_loss_is_torchs_for_targets_that_are_probabilities():
    weights = class_weights(uneven(20, 3, 4))
    logits = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    targets = functional.one_hot(torch.arange(16) % 3, 3).float()
    ours = (functional.cross_entropy(logits, targets, reduction="none") * expected_weights(targets, weights)).mean()
    torch.testing.assert_close(ours, torch.nn.CrossEntropyLoss(weight=weights)(logits, targets))


def test_a_mixed_image_has_the_mean_weight_of_its_labels_and_smoothing_changes_none():
    weights = torch.tensor([0.5, 9.0, 2.0])
    plain = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0.7, 0, 0.3]])
    wanted = torch.tensor([0.5, 9.0, 0.7 * 0.5 + 0.3 * 2])
    torch.testing.assert_close(expected_weights(plain, weights), wanted)
    torch.testing.assert_close(expected_weights(plain * 0.9 + 0.1 / 3, weights, 0.1), wanted)


def test_a_class_without_an_image_weighs_nothing():
    split = dataclasses.replace(uneven(6, 2), class_names=("c0", "c1", "none"))
    torch.testing.assert_close(class_weights(split), torch.tensor([8 / 12, 8 / 4, 0.0]))


def test_a_rare_class_gains_recall(trainer):
    training, unseen = uneven(1500, 60), uneven(100, 100)

    def recall(recipe) -> float:
        trainer.training, trainer.validation = training, None
        predictor = TorchPredictor(trainer.fit(recipe, str(recipe.class_weights)).deployed, unseen.class_names)
        return float((predictor.predict_proba(unseen.images)[unseen.labels == 1].argmax(1) == 1).mean())

    recipe = trainer.recipe(epochs=3, batch_size=64, optimiser=Part("adam", lr=0.01))
    assert recall(dataclasses.replace(recipe, class_weights="balanced")) > recall(recipe) + 0.2


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_run_with_class_weights_resumes_to_the_bit(trainer, digest_of, smoothing):
    trainer.training, trainer.validation = uneven(60, 10), None
    recipe = trainer.recipe(class_weights="balanced", label_smoothing=smoothing, augment=(Part("mixup"),))
    unbroken = trainer.fit(recipe, "unbroken")
    trainer.stopped_at(3, recipe)
    assert digest_of(trainer.fit(recipe)) == digest_of(unbroken)


def test_the_recipe_names_them_only_where_they_are_asked_for(trainer):
    recipe = trainer.recipe()
    assert "class_weights" not in to_dict(recipe)
    balanced = override(recipe, ["class_weights=balanced"])
    assert to_dict(balanced)["class_weights"] == "balanced"
    assert from_dict(to_dict(balanced)) == balanced
    assert override(balanced, ["class_weights=none"]) == recipe
    with pytest.raises(HangtagError, match="Did you mean 'balanced'"):
        override(recipe, ["class_weights=balance"])


@pytest.mark.parametrize("name", ["logistic", "random_forest", "gradient_boosting", "svm", "hog_svm"])
def test_estimators_take_scikit_learns_own(name):
    pytest.importorskip("sklearn")
    estimator = classical.create(ClassicalRecipe(name=name, estimator=Part(name), class_weights="balanced"))
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    assert last.get_params()["class_weight"] == "balanced"


def test_an_estimator_without_class_weights_says_so():
    pytest.importorskip("sklearn")
    with pytest.raises(HangtagError, match="knn takes no class_weights"):
        classical.create(ClassicalRecipe(name="knn", estimator=Part("knn"), class_weights="balanced"))
