import tracemalloc

import numpy as np
import pytest

from hangtag.audit.descriptions import DIMENSIONS, describe, nearest, reduced
from hangtag.data.sets import drawn


def test_mirroring_changes_no_description():
    images = drawn.pictures(20, seed=0).images
    np.testing.assert_allclose(describe(images), describe(images[:, :, ::-1]), atol=0.05)


def test_shifting_on_an_empty_ground_changes_no_description():
    images = np.zeros((5, 28, 28), np.uint8)
    images[:, 8:20, 8:20] = np.random.default_rng(0).integers(0, 256, (5, 12, 12))
    np.testing.assert_allclose(describe(images), describe(np.roll(images, (2, -1), axis=(1, 2))), atol=0.05)


def test_descriptions_are_never_farther_apart_than_the_pictures():
    images = drawn.pictures(50, seed=1).images
    described, pixels = describe(images), images.reshape(50, -1).astype(float)
    for i in range(50):
        apart = np.linalg.norm(described - described[i], axis=1)
        assert (apart <= np.linalg.norm(pixels - pixels[i], axis=1) * 1.001 + 0.1).all()


@pytest.mark.parametrize("known", [5, 700, 3000])
def test_nearest_are_those_that_counting_all_distances_gives(known):
    rng = np.random.default_rng(0)
    rows, columns = rng.normal(size=(150, DIMENSIONS)).astype(np.float32), rng.normal(size=(known, DIMENSIONS))
    columns = columns.astype(np.float32)
    indices, distances = nearest(rows, columns, 9)
    all_distances = np.linalg.norm(rows[:, None] - columns, axis=2)
    np.testing.assert_array_equal(np.sort(indices), np.sort(all_distances.argsort(axis=1)[:, :9]))
    np.testing.assert_allclose(distances, np.take_along_axis(all_distances, indices, axis=1), atol=1e-3)


@pytest.mark.parametrize("known", [1000, 3000])
def test_memory_does_not_grow_with_the_square_of_the_pictures(known):
    rows = np.random.default_rng(0).normal(size=(3000, DIMENSIONS)).astype(np.float32)
    tracemalloc.start()
    nearest(rows, rows[:known], 9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * known * 4  # bytes: all distances at once


def test_small_pictures_are_as_they_are_and_large_ones_keep_their_sides():
    small, wide = np.zeros((2, 28, 28), np.uint8), np.zeros((2, 64, 128, 3), np.uint8)
    assert reduced(small) is small
    assert reduced(wide).shape == (2, 16, 32, 3)
