"""What is odd is told once, with its reason; what is not, is not."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from hangtag.audit import odd_pictures
from hangtag.audit.odd_pictures import odd_photos
from hangtag.audit.photos import sketch
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
    assert odd_photos(sketch(np.zeros((0, 96, 96, 3), np.uint8)), np.zeros(0, np.int64)) == []


def test_photos_are_odd_for_what_can_be_seen_of_them():
    rng = np.random.default_rng(0)
    fine = np.kron(rng.integers(40, 220, (30, 24, 24, 3), np.uint8), np.ones((1, 4, 4, 1), np.uint8))
    pink = np.full((96, 96, 3), (230, 120, 150), np.uint8)
    faint = pink + rng.integers(0, 8, (96, 96, 1), np.uint8)
    dark, burnt, framed = fine[0] // 8, fine[1].copy(), fine[2].copy()
    burnt[10:90, 10:90] = 255
    framed[[0, -1]] = framed[:, [0, -1]] = 255
    blurred = np.asarray(Image.fromarray(fine[3]).filter(ImageFilter.GaussianBlur(8)))
    photos = np.concatenate([fine, np.stack([pink, dark, faint, blurred, burnt, framed, fine[4]])])
    sizes = np.full((37, 2), 300)
    sizes[36] = (24, 20)
    found = {photo.index - 30: photo.reason for photo in odd_photos(sketch(photos), np.zeros(37, np.int64))}
    wanted = {0: "blank", 1: "dark", 2: "almost blank", 3: "blurred", 4: "saturated"}
    assert {place: found.get(place) for place in wanted} == wanted
    assert not [place for place in found if place < 0]
    assert 5 not in found  # 255 is not 128 levels brighter than the median edge of 130
    tiny = odd_photos(sketch(photos[[*range(30), 36]], sizes[[*range(30), 36]] * [1, 1]), np.zeros(31, np.int64))
    assert [(photo.index, photo.reason) for photo in tiny] == [(30, "tiny")]
