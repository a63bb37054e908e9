"""A picture that is there twice is found, however it was changed on the way, and few others are."""

import numpy as np
import pytest

from hangtag.audit import near_duplicates
from hangtag.data.sets import drawn


def noisy(image, rng):
    return np.clip(np.rint(image + rng.normal(0, 4, image.shape)), 0, 255).astype(np.uint8)


def shifted(image, y, x):
    padded = np.pad(image, 1)
    return padded[1 - y : 29 - y, 1 - x : 29 - x]


CHANGES = {
    "identical": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "shifted": lambda image: shifted(image, 1, -1),
    "mirrored and shifted": lambda image: shifted(image[:, ::-1], 0, 1),
    "alike": lambda image: noisy(image, np.random.default_rng(0)),
}


@pytest.fixture(scope="module")
def garments():
    return drawn.pictures(600, seed=3).images


@pytest.mark.parametrize("relation", CHANGES)
def test_finds_a_changed_copy_and_says_what_was_done_to_it(garments, relation):
    chosen = np.arange(10, 600, 29)
    copies = np.stack([CHANGES[relation](garments[i]) for i in chosen])
    found = {(pair.first, pair.second): pair for pair in near_duplicates(np.concatenate([garments, copies]))}
    hits = [found[int(i), 600 + k] for k, i in enumerate(chosen) if (int(i), 600 + k) in found]
    assert len(hits) >= len(chosen) - 1
    assert [hit.relation for hit in hits].count(relation) >= len(chosen) - 2  # a dress is its own mirror image
    if relation == "identical":
        assert all(hit.distance == 0 for hit in hits)


def test_noise_in_a_dark_picture_is_forgiven_as_in_a_bright_one(garments):
    rng = np.random.default_rng(2)
    dark = garments // 4
    copies = np.stack([np.clip(image + rng.normal(0, 5, image.shape), 0, 255).astype(np.uint8) for image in dark[:40]])
    found = {(pair.first, pair.second) for pair in near_duplicates(dark[:40], copies)}
    assert sum((i, i) in found for i in range(40)) >= 39


def test_few_others_are_flagged(garments):
    pairs = near_duplicates(garments)
    assert len({index for pair in pairs for index in (pair.first, pair.second)}) <= 6  # 1%
    assert all(pair.first < pair.second for pair in pairs)


def test_across_two_sets_the_second_counts_in_the_others(garments):
    others = np.concatenate([drawn.pictures(50, seed=4).images, garments[[7]]])
    closest = near_duplicates(garments, others)[0]
    assert (closest.first, closest.second, closest.relation) == (7, 50, "identical")


def test_the_closest_come_first(garments):
    rng = np.random.default_rng(1)
    copies = np.stack([garments[5], noisy(garments[6], rng), noisy(noisy(garments[7], rng), rng)])
    distances = [pair.distance for pair in near_duplicates(garments, copies)]
    assert distances == sorted(distances)
    assert distances[0] == 0


def test_a_blank_picture_is_nobodys_duplicate(garments):
    blank = np.stack([np.zeros((28, 28), np.uint8)] * 3)
    assert near_duplicates(blank) == []
    assert near_duplicates(blank, garments) == []


def test_the_same_cut_in_another_colour_is_another_picture(garments):
    red, blue = np.zeros((2, 40, 28, 28, 3), np.uint8)
    red[..., 0], blue[..., 2] = garments[:40], garments[:40]
    assert near_duplicates(red, blue) == []
    assert len(near_duplicates(red, red.copy())) >= 40


def test_large_pictures_are_compared_too(garments):
    large = garments[:30].repeat(4, axis=1).repeat(4, axis=2)
    found = near_duplicates(np.concatenate([large, large[3:4, :, ::-1]]))
    assert (3, 30) in {(pair.first, pair.second) for pair in found}


def test_nothing_has_no_duplicates(garments):
    assert (
        near_duplicates(garments[:0]) == near_duplicates(garments[:0], garments) == near_duplicates(garments[:1]) == []
    )


def test_refuses_sets_of_other_shapes(garments):
    with pytest.raises(ValueError, match="one shape"):
        near_duplicates(garments, np.zeros((2, 32, 32), np.uint8))


@pytest.mark.real
@pytest.mark.slow
def test_finds_48_of_50_planted_in_the_real_pictures_and_flags_one_untouched_in_a_hundred_at_most():
    from hangtag import data

    test = data.find(name="fashion-mnist").test().images
    rng = np.random.default_rng(7)
    origins = rng.choice(len(test), 50, replace=False)
    changes = (lambda image: shifted(image, 1, 0), CHANGES["mirrored"], lambda image: noisy(image, rng))
    copies = np.stack([changes[k % 3](test[i]) for k, i in enumerate(origins)])
    together = {(pair.first, pair.second) for pair in near_duplicates(np.concatenate([test, copies]))}
    assert sum((int(i), len(test) + k) in together for k, i in enumerate(origins)) >= 48
    untouched = {i for first, second in together if second < len(test) for i in (first, second)}
    assert len(untouched) <= len(test) / 100
