import numpy as np
import pytest

from hangtag.classical._hog import HOG, picture_shape


def transformed(images, **options):
    rows = images.reshape(len(images), -1).astype(np.float32)
    return HOG(**options).fit(rows).transform(rows)


def edge(angle, size=28):
    """A soft edge across the middle whose gradient points in direction `angle`."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    return 1 / (1 + np.exp(-(columns * np.cos(angle) + rows * np.sin(angle))))


def test_28_pixels_give_36_blocks_of_4_cells_of_8_directions():
    assert transformed(np.zeros((2, 28, 28))).shape == (2, 36 * 4 * 8)


@pytest.mark.parametrize("k", range(8))
def test_an_edge_votes_for_its_own_direction(k):
    found = transformed(edge(k * np.pi / 8)[None]).reshape(4, 8, -1).sum(axis=(0, 2))
    assert found.argmax() == k
    assert found[k] > 5 * np.delete(found, k).max()


def test_light_on_dark_is_dark_on_light():
    image = edge(1.0)[None]
    np.testing.assert_allclose(transformed(image), transformed(1 - image), atol=1e-5)


def test_brightness_and_contrast_do_not_matter():
    image = np.random.default_rng(0).random((1, 28, 28))
    np.testing.assert_allclose(transformed(0.5 * image + 0.2), transformed(image), atol=0.02)


def test_a_flat_picture_has_no_edges():
    assert not transformed(np.full((1, 28, 28), 0.7)).any()


def test_more_pictures_than_a_step_come_in_order(monkeypatch):
    from hangtag.classical import _hog

    images = np.random.default_rng(0).random((7, 28, 28))
    whole = transformed(images)
    monkeypatch.setattr(_hog, "STEP", 3)
    np.testing.assert_allclose(transformed(images), whole, atol=1e-6)


def test_tells_grey_from_colour_by_the_number_of_values():
    assert picture_shape(784) == (28, 28)
    assert picture_shape(2352) == (28, 28, 3)
    with pytest.raises(ValueError, match="no square picture"):
        picture_shape(785)
