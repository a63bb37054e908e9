"""Photos become model input as Fashion-MNIST was made from Zalando's photos."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import Picture
from hangtag.preprocess.photo import SHARPEN, address_of, check_content, convert, read_file


def photo(height: int, width: int, item: int = 40, background: int = 255) -> Picture:
    """An item filling the middle: half the height, a quarter of the width."""
    pixels = np.full((height, width, 3), background, np.uint8)
    pixels[height // 4 : height - height // 4, width * 3 // 8 : width - width * 3 // 8] = (item, item, 0)
    return Picture(pixels)


def test_a_grey_picture_of_the_models_size_passes_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    assert np.array_equal(convert(Picture(pixels), 28, colour=False), pixels)


def boot(longest: int = 28) -> np.ndarray:
    """A light item on black, as published: uneven shades, `longest` pixels long in the middle of 28."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((28, 28), np.uint8)
    start = (28 - longest) // 2
    pixels[start : start + longest, 9:19] = rng.integers(60, 256, (longest, 10))
    return pixels


def test_a_dark_item_on_a_light_ground_is_negated_at_the_models_size_too():
    assert np.array_equal(convert(Picture(255 - boot()), 28, colour=False), boot())
    assert convert(Picture(boot()), 28, colour=False) is not None


def test_an_image_on_a_dark_ground_passes_at_the_models_size_as_the_very_same():
    pixels = boot()
    assert convert(Picture(pixels), 28, colour=False) is pixels


@pytest.mark.parametrize("ground", [100, 180, 240])
def test_the_level_of_an_even_ground_is_taken_off_at_the_models_size_too(ground):
    made = convert(Picture(np.where(boot() > 0, 20, ground).astype(np.uint8)), 28, colour=False)
    assert (made[:, :8] == 0).all()
    assert made.max() == ground - 20  # also on a ground between: there the item says which way round it is


def test_the_noise_of_a_jpeg_does_not_hide_the_ground():
    rng = np.random.default_rng(1)
    noisy = np.clip(255 - boot().astype(int) + rng.integers(-5, 1, (28, 28)), 0, 255).astype(np.uint8)
    assert np.abs(convert(Picture(noisy), 28, colour=False).astype(int) - boot()).max() <= 6
    dark = np.clip(boot().astype(int) + rng.integers(0, 6, (28, 28)), 0, 255).astype(np.uint8)
    assert convert(Picture(dark), 28, colour=False) is dark


def test_a_small_item_in_an_image_of_the_models_size_is_enlarged_as_in_a_photo():
    made = convert(Picture(255 - boot(longest=12)), 28, colour=False)
    assert (made > 50).any(axis=1).all()
    assert np.array_equal(convert(Picture(255 - boot(longest=20)), 28, colour=False), boot(longest=20))


def test_a_model_of_dark_drawings_on_a_light_ground_sees_them_unchanged():
    drawing = 255 - boot()
    assert convert(Picture(drawing), 28, colour=False, light=True) is drawing


@pytest.mark.real
def test_every_published_image_passes_as_the_very_same_and_negated_ones_become_it():
    from hangtag import data

    found = data.find()
    for split in (found.training(), found.test()):
        assert all(convert(Picture(image), 28, False) is image for image in split.images)
        again = [np.array_equal(convert(Picture(255 - image), 28, False), image) for image in split.images]
        assert np.mean(again) > 0.998


@pytest.mark.parametrize("value", [0, 7, 128, 255])
@pytest.mark.parametrize("shape", [(28, 28), (100, 80), (100, 80, 3), (1, 1)])
def test_an_image_of_one_colour_is_refused_with_some_noise_too(value, shape):
    noise = np.random.default_rng(0).integers(-1, 2, shape)
    for pixels in (np.full(shape, value, np.uint8), np.clip(noise + value, 0, 255).astype(np.uint8)):
        with pytest.raises(HangtagError, match="one even colour") as caught:
            check_content(Picture(pixels))
        assert caught.value.code == "image_blank"


def test_an_image_with_something_on_it_is_not_refused():
    for pixels in (boot(), 255 - boot(), np.eye(50, dtype=np.uint8) * 40, photo(60, 60).pixels):
        check_content(Picture(pixels))


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


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("https://x.org/y.jpg", "https"),
        ("HTTP://x.org/y.jpg", "http"),
        ("https:/x.org/y.jpg", "https"),
        ("ftp://x.org/y.jpg", "ftp"),
        ("s3://bucket/y.jpg", "s3"),
        ("gs://bucket/y.jpg", "gs"),
        ("http:", "http"),
        ("file:///tmp/y.jpg", "file"),
        ("data:image/png;base64,iVBORw0KGgo=" + "A" * 10_000, "data"),
        ("shirt.jpg", ""),
        ("C:/shirt.jpg", ""),
        ("c:\\shirt.jpg", ""),
        ("https.jpg", ""),
        ("a/https://b.jpg", ""),
    ],
)
def test_an_address_is_told_from_a_path(path, scheme):
    assert address_of(path) == scheme
    with pytest.raises(HangtagError) as caught:
        read_file(path)
    assert (caught.value.code == "image_address") == bool(scheme)
    assert len(caught.value.message) < 200


def test_an_address_keeps_both_of_its_slashes_and_is_not_fetched():
    for path in ("https://x.org/y.jpg", Path("https://x.org/y.jpg")):
        with pytest.raises(HangtagError, match=r"^https://x\.org/y\.jpg is an address, and addresses are not fetched"):
            read_file(path)


def test_a_file_called_like_an_address_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "https:" / "x").mkdir(parents=True)
    (tmp_path / "https:" / "x" / "y.jpg").write_bytes(b"content")
    assert read_file("https:/x/y.jpg") == b"content"


@pytest.mark.parametrize("path", ["", " ", "\t"])
def test_an_empty_path_is_not_the_current_folder(path):
    with pytest.raises(HangtagError, match="the path is empty"):
        read_file(path)


@pytest.mark.parametrize("path", ["/proc/kmsg", "/dev/zero", "/dev/tty", "/proc/self/maps"])
def test_special_files_are_refused_unread(path):
    if not Path(path).exists():
        pytest.skip("there is none here")
    with pytest.raises(HangtagError, match="not a file but") as caught:
        read_file(path)
    assert caught.value.code == "image_unreadable"


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
