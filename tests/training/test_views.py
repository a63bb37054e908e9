"""Views: a function of their number alone, so that teachers and students see the same."""

import numpy as np
import pytest
import torch

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training.views import CHUNK, Views, channels_first

PARTS = (Part("alternating_flip"), Part("shift", pixels=1), Part("erase"), Part("cutmix", probability=1.0))


def views(pictures, parts=PARTS, n=30):
    split = pictures(n)
    targets = torch.nn.functional.one_hot(torch.from_numpy(split.labels), 3).float()
    return Views(parts, channels_first(split.images), targets)


def test_a_view_is_the_same_whenever_it_is_asked_for(pictures):
    first, again = views(pictures), views(pictures)
    again.of(0)  # what was asked before changes nothing
    for one, other in zip(first.of(3), again.of(3), strict=True):
        assert torch.equal(one, other)


def test_views_differ_from_each_other(pictures):
    made = views(pictures)
    assert not torch.equal(made.of(0)[0], made.of(1)[0])


def test_without_augmentations_a_view_is_the_pictures(pictures):
    assert np.array_equal(views(pictures, ()).pictures(5), pictures(30).images)


def test_predictors_are_given_the_pictures_that_students_see(pictures):
    made = views(pictures)
    assert np.array_equal(made.pictures(2), made.of(2)[0][:, 0].numpy())


def test_pictures_in_colour_keep_their_colours(pictures):
    images = pictures(9, colour=True).images
    made = Views((), channels_first(images), torch.zeros(9, 1))
    assert np.array_equal(made.pictures(0), images)


def test_targets_follow_what_is_mixed(pictures):
    targets = views(pictures).of(0)[1]
    assert torch.allclose(targets.sum(1), torch.ones(30))
    assert ((targets > 0).sum(1) == 2).any()


def test_every_picture_is_augmented_however_many_there_are(pictures):
    n = CHUNK + 7
    made = views(pictures, (Part("erase", probability=1.0, area=(0.2, 0.3)),), n).pictures(0)
    assert all((made[i] != pictures(n).images[i]).any() for i in (0, CHUNK - 1, CHUNK, n - 1))


def test_an_unknown_augmentation_is_told(pictures):
    with pytest.raises(HangtagError) as caught:
        views(pictures, (Part("errase"),))
    assert caught.value.code == "usage_unknown_augmentation"
