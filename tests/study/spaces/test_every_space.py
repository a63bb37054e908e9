"""Promises every shipped space keeps. A new space is covered the moment its file exists."""

import numpy as np
import pytest

from hangtag import augment, models, recipes
from hangtag.core.errors import HangtagError
from hangtag.study import spaces
from hangtag.study.space import Range, applied, read
from hangtag.training import optimisers

NAMES = spaces.register.names()


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name):
    assert spaces.register.summary(name).strip()


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_drawn_from_it_can_be_built(name):
    space = read([name], recipes.create(spaces.register.facts(name)["recipe"]))
    rng = np.random.default_rng(0)

    def pick(key, dimension):
        if not isinstance(dimension, Range):
            return dimension.values[rng.integers(len(dimension.values))]
        value = rng.uniform(dimension.low, dimension.high)
        return round(value) if dimension.whole else float(value)

    for _ in range(12):
        drawn = applied(space.recipe, space.draw(pick))
        model = models.create(drawn.model, 10, 1, 28)
        augment.create(drawn.augment)
        drawn.optimiser.call(optimisers.register.get(drawn.optimiser.name), model)


@pytest.mark.parametrize("name", NAMES)
def test_a_space_that_calls_itself_a_grid_has_an_end(name):
    space = read([name], recipes.create(spaces.register.facts(name)["recipe"]))
    if spaces.is_grid(name):
        assert len(list(space.combinations())) > 1
        return
    with pytest.raises(HangtagError):
        list(space.combinations())
