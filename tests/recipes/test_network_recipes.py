"""The recipes of single networks: every part they name exists and takes the options they give."""

import pytest
import torch

from hangtag import augment, classical, models, recipes
from hangtag.core.recipe import NetworkRecipe, from_dict, to_dict
from hangtag.training import averages, optimisers, schedules

NAMES = [name for name in recipes.register.names() if isinstance(recipes.create(name), NetworkRecipe)]


@pytest.fixture(params=NAMES)
def recipe(request):
    return recipes.create(request.param)


def test_none_is_passed_by():
    assert {"lenet5", "brownlee", "three_conv", "custom_cnn", "efficientnet", "seconds", "minutes", "hour"} <= {*NAMES}


def test_every_part_can_be_made(recipe):
    model = models.create(recipe.model, 10, 1, recipe.size)
    assert model(torch.rand(2, 1, recipe.size, recipe.size)).shape == (2, 10)
    augment.create(recipe.augment)
    assert recipe.optimiser.call(optimisers.register.get(recipe.optimiser.name), model).param_groups
    assert 0 < recipe.schedule.call(schedules.register.get(recipe.schedule.name), 0.1) <= 1
    if recipe.average:
        assert recipe.average.call(averages.register.get(recipe.average.name), model).weights()


@pytest.mark.parametrize("name", NAMES)
def test_is_named_as_it_is_called_and_survives_json(name):
    recipe = recipes.create(name)
    assert recipe.name == name
    assert from_dict(to_dict(recipe)) == recipe


@pytest.mark.parametrize("name", sorted({*recipes.register.names()} - {*NAMES}))
def test_the_algorithm_of_every_other_recipe_can_be_made(name):
    recipe = recipes.create(name)
    assert recipe.name == name
    assert hasattr(classical.create(recipe), "fit")
    assert from_dict(to_dict(recipe)) == recipe


def test_three_conv_is_the_published_setting():
    recipe = recipes.create("three_conv")
    assert (recipe.optimiser.name, recipe.optimiser.options["lr"]) == ("adam", 1e-3)
    assert (recipe.batch_size, recipe.epochs, recipe.patience) == (64, 10, 3)
    assert recipe.model.options["dropout"] == 0.5
    assert recipe.augment == ()


def test_brownlee_is_the_published_setting():
    recipe = recipes.create("brownlee")
    assert recipe.optimiser.options == {"lr": 0.01, "momentum": 0.9, "nesterov": False}
    assert (recipe.batch_size, recipe.epochs, recipe.augment) == (32, 10, ())
