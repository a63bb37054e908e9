"""Photos become model input as Fashion-MNIST was made from Zalando's photos."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import Picture
from hangtag.preprocess.photo import SHARPEN, convert, read_file


def photo(height: int, width: int, item: int = 40, background: int = 255) -> Picture:
    """An item filling the middle: half the height, a quarter of the width."""
    pixels = np.full((height, width, 3), background, np.uint8)
    pixels[height // 4 : height - height // 4, width * 3 // 8 : width - width * 3 // 8] = (item, item, 0)
    return Picture(pixels)


def test_a_grey_picture_of_the_models_size_passes_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    assert np.array_equal(convert(Picture(pixels), 28, colour=False), pixels)


def test_a_colour_picture_of_the_models_size_passes_a_colour_model_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(convert(Picture(pixels), 32, colour=True), pixels)
    grey = convert(Picture(pixels[..., 0]), 32, colour=True)
    assert all(np.array_equal(grey[..., channel], pixels[..., 0]) for channel in range(3))


def test_a_see_through_picture_is_a_photo_even_at_the_models_size():
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[4:24, 8:20] = 0
    assert convert(Picture(pixels, transparent=True), 28, colour=False)[0, 0] == 0


def test_trims_fits_the_longest_edge_centres_and_negates():
    made = convert(photo(400, 400), 28, colour=False)
    rows, columns = np.flatnonzero((made > 100).any(axis=1)), np.flatnonzero((made > 100).any(axis=0))
    assert (rows[0], rows[-1]) == (0, 27)  # 200 rows of item -> all 28
    assert len(columns) == 14  # 100 columns -> 14
    assert columns[0] == 7
    assert (made[:, :6] == 0).all()
    assert (made[:, -6:] == 0).all()
    assert made[14, 14] == 255 - round(0.886 * 40)  # grey of (40, 40, 0), negated


@pytest.mark.parametrize("shade", [243, 255])
def test_trims_what_is_within_5_percent_of_the_corners(shade):
    pixels = np.full((100, 100), 255, np.uint8)
    pixels[10:90, 10:90] = shade
    pixels[30:70, 30:70] = 0
    assert (convert(Picture(pixels), 28, colour=False) == 255).all()  # only the item is left
    pixels[10:90, 10:90] = 242
    assert convert(Picture(pixels), 28, colour=False)[0, 14] < 20  # 13 levels away: kept


def test_does_not_negate_a_photo_on_a_dark_background():
    made = convert(photo(400, 400, item=220, background=10), 28, colour=False)
    assert made[14, 14] > 150
    assert made[14, 0] == 0


@pytest.mark.parametrize(("background", "item"), [(190, 40), (240, 90), (60, 200)])
def test_takes_the_backgrounds_level_off(background, item):
    made = convert(photo(400, 400, item, background), 28, colour=False)
    assert (made[:, :6] == 0).all()
    assert made[14, 14] == pytest.approx(abs(background - round(0.886 * item)), abs=1)


def test_one_odd_corner_does_not_hide_the_background():
    picture = photo(200, 200)
    picture.pixels[:3, :3] = 0  # a logo
    assert convert(picture, 28, colour=False)[14, 0] == 0


def test_fits_a_colour_photo_into_the_square_and_pads_it_with_its_background():
    made = convert(photo(100, 200, background=200), 32, colour=True)
    assert made.shape == (32, 32, 3)
    assert (made[:8] == 200).all()  # 200 x 100 -> 32 x 16 in the middle
    assert np.abs(made[16, 16].astype(int) - (40, 40, 0)).max() <= 2


@settings(max_examples=60, deadline=None)
@given(
    pixels=arrays.arrays(
        np.uint8, st.one_of(st.tuples(*[st.integers(1, 90)] * 2), st.tuples(*[st.integers(1, 40)] * 2, st.just(3)))
    ),
    size=st.sampled_from([3, 28, 32]),
    colour=st.booleans(),
)
def test_any_picture_fits(pixels, size, colour):
    before = pixels.copy()
    made = convert(Picture(pixels), size, colour)
    assert made.shape == ((size, size, 3) if colour else (size, size))
    assert made.dtype == np.uint8
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_picture_of_nothing_stays_one(value):
    made = convert(Picture(np.full((50, 20, 3), value, np.uint8)), 28, colour=False)
    assert (made == 0).all()


def test_sharpening_keeps_flat_areas_and_doubles_the_gaussians_sum_in_the_middle():
    assert SHARPEN.sum() == pytest.approx(1)
    assert SHARPEN[1, 1] / -SHARPEN[0, 1] == pytest.approx(2 * 4.8976 / np.exp(-0.5), rel=1e-3)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    for name, code in {"none.jpg": "image_not_found", ".": "image_unreadable", "a\0b.png": "image_not_found"}.items():
        with pytest.raises(HangtagError) as caught:
            read_file(tmp_path / name)
        assert caught.value.code == code


def test_reads_neither_pipes_nor_giants(tmp_path, monkeypatch):
    import os

    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
        with pytest.raises(HangtagError, match="not a file"):
            read_file(tmp_path / "pipe.png")
    monkeypatch.setattr("hangtag.preprocess.photo.MAX_BYTES", 10)
    (tmp_path / "giant.png").write_bytes(bytes(11))
    with pytest.raises(HangtagError, match="longer than 10 bytes"):
        read_file(tmp_path / "giant.png")


@pytest.mark.parametrize("size", [28, 56])
@pytest.mark.parametrize("level", [70, 110, 127, 128, 160, 185])
def test_on_a_grey_ground_an_item_darker_or_lighter_than_it_is_seen(level, size):
    for item in (level - 60, level + 60):
        pixels = np.full((size, size), level, np.uint8)
        pixels[2:-2, size // 4 : -size // 4] = item
        seen = convert(Picture(pixels), 28, False)
        assert seen[14, 14] >= 60
        assert seen[14, 0] == 0


@pytest.mark.parametrize(
    "path", ["hf://a/b.png", "smb://a/b", "dropbox://x", "HTTPS://x.org/a.png", "data:image/png,x"]
)
def test_an_address_of_any_scheme_is_called_one(path):
    with pytest.raises(HangtagError) as caught:
        read_file(path)
    assert caught.value.code == "image_address"
