import base64
import io

import numpy as np
import pytest
from PIL import Image

from hangtag.report.pictures import Sheet, heat_sheet, picture_uri


def opened(uri):
    kind, _, code = uri.partition(",")
    return kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(code))))


def filled(n, size=28, colour=False, seed=0):
    shape = (n, size, size, 3) if colour else (n, size, size)
    images = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    sheet = Sheet()
    for i, image in enumerate(images):
        assert sheet.add(("test", i), image) == (i, True)
    return sheet, images


def test_small_grey_pictures_are_kept_exactly_and_in_order():
    sheet, images = filled(11)
    encoded = sheet.encode(1_000_000)
    kind, canvas = opened(encoded.uri)
    assert kind == "data:image/png;base64"
    assert (encoded.columns, encoded.rows, encoded.side) == (4, 3, 28)
    for i, image in enumerate(images):
        top, left = i // 4 * 28, i % 4 * 28
        np.testing.assert_array_equal(canvas[top : top + 28, left : left + 28], image)


def test_a_picture_is_put_on_the_sheet_once():
    sheet, images = filled(3)
    assert sheet.add(("test", 1), images[1]) == (1, False)
    assert len(sheet) == 3
    assert sheet.has(("test", 1))
    assert not sheet.has(("training", 1))


@pytest.mark.parametrize("colour", [False, True])
def test_what_does_not_fit_is_reduced_until_it_does(colour):
    sheet, _ = filled(200, size=96, colour=colour)
    encoded = sheet.encode(60_000)
    assert len(encoded.uri) <= 60_000
    assert opened(encoded.uri)[0] == "data:image/webp;base64" or not colour
    assert encoded.side < 64


def test_the_larger_the_room_the_larger_the_pictures():
    sheet, _ = filled(60, size=96, colour=True)
    assert sheet.encode(40_000).side < sheet.encode(400_000).side <= 64


def test_an_empty_sheet_is_a_picture_too():
    assert opened(Sheet().encode(1000).uri)[1].shape == (1, 1)


def test_heat_is_densest_where_the_map_is_highest():
    maps = np.zeros((3, 28, 28), np.float32)
    maps[1, 5, 7] = 1
    encoded = heat_sheet(maps)
    _, code = encoded.uri.split(",")
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("RGBA"))
    top, left = 1 // encoded.columns * 28, 1 % encoded.columns * 28
    assert image[top + 5, left + 7, 3] > 200
    assert image[..., 3].astype(int).sum() == image[top + 5, left + 7, 3]


def test_no_maps_make_no_heat():
    assert heat_sheet(np.zeros((0, 28, 28), np.float32)).columns == 1


def test_a_large_photo_is_reduced():
    _, image = opened(picture_uri(np.zeros((900, 600, 3), np.uint8), 112))
    assert max(image.shape[:2]) == 112
