from __future__ import annotations

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.data.sets import drawn
from hangtag.data.sets.fashion_mnist import CLASS_NAMES


def test_draws_the_same_from_the_same_seed_and_more_begin_alike():
    few, many = drawn.pictures(20, seed=3), drawn.pictures(30, seed=3)
    np.testing.assert_array_equal(few.images, many.images[:20])
    assert few.digest() != drawn.pictures(20, seed=4).digest()


def test_names_the_classes_as_fashion_mnist_does_and_draws_each_equally():
    split = drawn.pictures(40, seed=0)
    assert split.class_names == CLASS_NAMES
    assert set(split.counts().values()) == {4}


def test_fills_the_longest_edge_and_leaves_the_background_black():
    for image in drawn.pictures(200, seed=1).images:
        seen = image > 0
        width, height = seen.any(axis=0).sum(), seen.any(axis=1).sum()
        assert max(width, height) >= 26
        assert (image == 0).mean() > 0.05
        assert image.max() > 20


def test_shoes_point_left():  # the shaft and the heel are on the right
    split = drawn.pictures(300, seed=2)
    boots = split.images[split.labels == 9].mean(axis=0)
    assert boots[:14, 14:].sum() > 3 * boots[:14, :14].sum()


def test_no_two_are_alike():
    images = drawn.pictures(200, seed=5).images.reshape(200, -1)
    assert len(np.unique(images, axis=0)) == 200


def test_training_and_test_pictures_differ():
    training, test = drawn.pictures(50, drawn._TRAINING_SEED), drawn.pictures(50, drawn._TEST_SEED)
    assert not any((picture == training.images).all(axis=(1, 2)).any() for picture in test.images)


@pytest.mark.parametrize(("size", "colour"), [(28, True), (64, False), (40, True)])
def test_draws_other_sizes_and_colour(size, colour):
    split = drawn.pictures(10, seed=0, size=size, colour=colour)
    assert split.images.shape == (10, size, size, 3)[: 4 if colour else 3]


def test_refuses_a_path_and_absurd_sizes(tmp_path):
    for path, size in ((tmp_path, 28), (None, 4), (None, 10_000)):
        with pytest.raises(HangtagError) as caught:
            drawn.drawn(path, size, False, lambda *_: None)
        assert caught.value.code == "usage_value"


def test_a_nearest_centroid_learnt_from_drawings_knows_other_drawings():
    training, test = drawn.pictures(400, 1), drawn.pictures(100, 2)
    centroids = np.stack([training.images[training.labels == c].mean(axis=0).ravel() for c in range(10)])
    distances = ((test.images.reshape(100, 1, -1) - centroids) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == test.labels).mean() > 0.5
