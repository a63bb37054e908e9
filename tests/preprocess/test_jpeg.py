"""A JPEG is read if all of its pixels are there, and only then; its end marker proves nothing."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import decode
from hangtag.preprocess.jpeg import read

END = b"\xff\xd9"
WAYS = {
    "sequential": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True, "quality": 95, "subsampling": 0},
    "a restart per row": {"restart_marker_rows": 1},
    "a restart per block": {"restart_marker_blocks": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_blocks": 3},
    "low quality": {"quality": 10},
}


def photo(shape=(170, 130, 3)) -> Image.Image:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (shape[0] // 10, shape[1] // 10, *shape[2:]), dtype=np.uint8)
    grainy = np.asarray(Image.fromarray(small).resize((shape[1], shape[0]))) + rng.normal(0, 8, shape)
    return Image.fromarray(grainy.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def outcome(content: bytes, enough: int | None = None) -> str:
    try:
        return str(decode(content, enough).pixels.shape)
    except HangtagError as error:
        return error.code


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_whole_one_is_read_to_the_same_pixels_as_by_pillow(way, mode):
    content = encoded(photo().convert(mode), **WAYS[way])
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("L" if mode == "L" else "RGB"))
    assert np.array_equal(decode(content).pixels, expected)
    assert np.array_equal(decode(content[:-2]).pixels, expected)  # without its end marker
    assert np.array_equal(decode(content[:-1]).pixels, expected)
    assert np.array_equal(decode(content + b"\0tail" * 50).pixels, expected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("enough", [None, 40], ids=["full size", "scaled down"])
def test_one_that_lacks_pixels_is_truncated_with_an_end_marker_or_without(way, mode, enough):
    content = encoded(photo().convert(mode), **WAYS[way])
    for part in (0.3, 0.6, 0.8, 0.9, 0.97):
        cut = content[: int(len(content) * part)]
        assert outcome(cut, enough) == outcome(cut + END, enough) == "image_truncated", part


def test_every_cut_of_a_small_one_is_noticed():
    content = encoded(photo((24, 20, 3)), quality=90)
    pixels = decode(content).pixels
    for length in range(3, len(content) - 2):
        cut = content[:length]
        for tail in (b"", END):
            try:
                same = np.array_equal(decode(cut + tail).pixels, pixels)
                assert same or np.array_equal(decode(cut + tail).pixels[:16, :16], pixels[:16, :16]), length
                assert len(content) - length < 12, length  # less than a block
            except HangtagError as error:
                assert error.code in ("image_truncated", "image_damaged")  # noqa: PT017


def test_a_flat_grey_one_is_read():
    """What libjpeg paints where pixels are missing."""
    for way in WAYS.values():
        assert outcome(encoded(Image.new("RGB", (130, 170), (128, 128, 128)), **way)) == "(170, 130)"


def test_a_preview_in_the_metadata_is_not_the_image():
    preview = encoded(photo((40, 30, 3)))
    content = encoded(photo(), exif=b"Exif\0\0" + preview)
    assert outcome(content) == "(170, 130, 3)"
    layout = read(content)
    assert layout.size == (130, 170)
    assert layout.end == len(content) - 2


def test_a_progressive_one_without_its_last_scan_is_truncated():
    content = encoded(photo(), progressive=True)
    layout = read(content)
    assert len(layout.scans) == 10
    assert not layout.lacks_scans
    last = content.rindex(b"\xff\xda")
    assert read(content[:last] + END).lacks_scans
    assert outcome(content[:last] + END) == "image_truncated"


@pytest.mark.real
def test_every_photo_is_read_and_every_cut_noticed():
    files = sorted((Path(os.environ.get("HANGTAG_DATA", "none")) / "clothing-small").rglob("*.jpg"))[::40]
    if not files:
        pytest.skip("there are no photos")
    rng = np.random.default_rng(0)
    for file in files:
        content = file.read_bytes()
        assert outcome(content, 448).startswith("("), file
        cut = content[: int(len(content) * rng.uniform(0.05, 0.99))]
        assert outcome(cut, 448) == outcome(cut + END, 448) == "image_truncated", file
