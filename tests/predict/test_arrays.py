"""An array that could be read in two ways is refused with what to write instead; every other is read."""

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.predict.arrays import as_image, is_several

SEVERAL = [(5, 28, 28), (64, 28, 28), (1, 28, 28), (2, 28, 28), (4, 28, 28), (7, 340, 300), (0, 28, 28), (5, 1, 28, 28)]
SEVERAL += [(5, 28, 28, channels) for channels in (1, 2, 3, 4)] + [(3, 40, 30, 3)]
ONE = [(28, 28), (340, 300), (28, 28, 1), (340, 300, 2), (340, 300, 3), (340, 300, 4), (3, 40, 3), (1, 28)]


@pytest.mark.parametrize("shape", SEVERAL)
def test_several_images_are_told_by_their_shape(shape):
    assert is_several(np.zeros(shape, np.uint8), 28, False)


@pytest.mark.parametrize("shape", ONE)
def test_one_image_is_told_by_its_shape(shape):
    assert not is_several(np.zeros(shape, np.uint8), 28, False)
    image = as_image(np.zeros(shape, np.uint8), 28, False)
    assert image.shape == (shape[:2] if shape[2:] in ((), (1,)) else shape)


@pytest.mark.parametrize(
    ("shape", "cure"),
    [
        ((784,), "array.reshape(28, 28)"),
        ((5, 784), "array.reshape(-1, 28, 28)"),
        ((1, 784), "array.reshape(-1, 28, 28)"),
        ((60_000, 784), "array.reshape(-1, 28, 28)"),
        ((5, 1, 784), "array.reshape(-1, 28, 28)"),
        ((5, 784, 1), "array.reshape(-1, 28, 28)"),
        ((5, 785), "array[:, 1:].reshape(-1, 28, 28)"),
        ((3, 340, 300), "array.transpose(1, 2, 0)"),
        ((3, 28, 28), "array.transpose(1, 2, 0)"),
        ((3, 340, 300), "list(array)"),
        ((4, 340, 300), "array.transpose(1, 2, 0)"),
        ((5, 3, 340, 300), "array.transpose(0, 2, 3, 1)"),
        ((5, 3, 28, 28), "array.transpose(0, 2, 3, 1)"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_what_to_write(shape, cure):
    with pytest.raises(HangtagError) as caught:
        is_several(np.zeros(shape, np.uint8), 28, False)
    assert caught.value.code == "image_shape"
    assert cure in caught.value.message
    assert str(shape) in caught.value.message
    assert ("channels first" in caught.value.message) == ("transpose" in cure or "list" in cure)


def test_rows_of_a_colour_model_are_refused_too():
    with pytest.raises(HangtagError, match=r"write array\.reshape\(-1, 32, 32, 3\)"):
        is_several(np.zeros((5, 3072), np.uint8), 32, True)
    assert not is_several(np.zeros((5, 1024), np.uint8), 32, True)


def test_one_of_a_list_may_have_an_axis_of_one_channel_first():
    assert as_image(np.zeros((1, 28, 28), np.uint8), 28, False).shape == (28, 28)


@pytest.mark.parametrize("shape", [(3, 28, 28), (4, 28, 28), (2, 28, 28), (784,), (5, 784)])
def test_one_of_a_list_is_refused_if_it_could_be_something_else(shape):
    with pytest.raises(HangtagError, match="write array") as caught:
        as_image(np.zeros(shape, np.uint8), 28, False)
    assert caught.value.code == "image_shape"


@pytest.mark.parametrize("shape", [(), (5,), (0, 5), (5, 0), (5, 6, 7), (1, 2, 3, 4, 5), (5, 28, 28, 7)])
def test_what_is_no_image_says_which_shapes_are(shape):
    with pytest.raises(HangtagError, match=r"an image is an array \(H, W\)"):
        as_image(np.zeros(shape, np.uint8), 28, False)


@pytest.mark.parametrize("kind", ["int16", "int64", "uint16", "uint32", ">i4"])
def test_whole_numbers_up_to_255_are_taken_whatever_their_type(kind):
    pixels = np.arange(256).reshape(16, 16)
    assert np.array_equal(as_image(pixels.astype(kind), 28, False), pixels)


def test_a_mask_is_black_and_white():
    assert as_image(np.eye(3, dtype=bool), 28, False).tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize("value", [-1, 256, 0.5, 1.0, np.nan, np.inf, 1j])
def test_numbers_without_a_fixed_range_are_refused(value):
    with pytest.raises(HangtagError, match="no fixed range"):
        as_image(np.full((5, 5), value), 28, False)
