"""What is odd is told once, with its reason; what is not, is not."""

import numpy as np
import pytest

from hangtag.audit import odd_pictures
from hangtag.data.sets import drawn


@pytest.fixture(scope="module")
def garments():
    return drawn.pictures(400, seed=5)


def odd(split, images, labels=None):
    labels = np.zeros(len(images), np.int64) if labels is None else labels
    found = odd_pictures(np.concatenate([split.images, images]), np.concatenate([split.labels, labels]))
    return {picture.index - len(split): picture for picture in found if picture.index >= len(split)}


def test_says_why_each_is_odd(garments):
    faint = np.full((28, 28), 40, np.uint8)
    faint[10:14] = 52
    burnt = garments.images[2].copy()
    burnt[2:26, 2:26] = 255
    images = np.stack([np.full((28, 28), 90, np.uint8), faint, 255 - garments.images[0], burnt])
    assert [odd(garments, images)[i].reason for i in range(4)] == ["blank", "almost blank", "inverted", "saturated"]


def test_a_shoe_among_trousers_is_an_outlier(garments):
    (shoe, *_) = garments.images[garments.labels == 7]
    assert odd(garments, shoe[None], np.array([1]))[0].reason == "outlier"
    assert 0 not in odd(garments, shoe[None], np.array([7]))


def test_of_ordinary_pictures_few_are_odd(garments):
    assert len(odd_pictures(garments.images, garments.labels)) <= len(garments) * 0.02


def test_the_oddest_comes_first(garments):
    images = np.concatenate([garments.images, np.zeros((1, 28, 28), np.uint8)])
    found = odd_pictures(images)
    assert (found[0].index, found[0].score) == (len(garments), 0)
    assert [picture.score for picture in found] == sorted(picture.score for picture in found)


def test_in_a_class_of_few_pictures_none_is_unlike_the_rest(garments):
    few = np.flatnonzero(garments.labels == 1)[:5]
    assert odd_pictures(garments.images[[*few, 0]], np.ones(6, np.int64)) == []


def test_colour_is_judged_alike(garments):
    colour = garments.images[..., None].repeat(3, axis=3)
    grey = odd_pictures(garments.images, garments.labels)
    assert [picture.index for picture in odd_pictures(colour, garments.labels)] == [picture.index for picture in grey]


def test_no_pictures_are_not_odd():
    assert odd_pictures(np.zeros((0, 28, 28), np.uint8)) == []
