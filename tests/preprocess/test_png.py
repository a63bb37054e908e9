"""PNGs: checksums decide, and what is see-through is so at every depth."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import decode, flatten
from hangtag.preprocess.png import lower_bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, body: bytes, off: int = 0) -> bytes:
    """A chunk whose checksum is wrong by `off`."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body) ^ off)


def png(width: int, height: int, depth: int, colour: int, rows: list[bytes], *chunks: bytes, interlaced: int = 0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def packed(values: np.ndarray, depth: int) -> list[bytes]:
    """(H, W) or (H, W, C) whole numbers below 2**depth as rows."""
    values = values.reshape(len(values), -1)
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in values]
    bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def garment() -> np.ndarray:
    """(40, 30) in {0, 1}: 1 is the garment."""
    item = np.zeros((40, 30), np.uint16)
    item[8:16, 3:27] = item[8:34, 9:21] = 1
    return item


def code_of(content: bytes) -> str:
    with pytest.raises(HangtagError) as caught:
        decode(content)
    return caught.value.code


@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("ground", [0, 1], ids=["black is clear", "white is clear"])
def test_what_is_see_through_is_laid_on_white_at_every_depth(colour, depth, ground):
    if colour == "rgb" and depth < 8:
        pytest.skip("there is no such PNG")
    most = 2**depth - 1
    values = np.where(garment(), most * (1 - ground), most * ground).astype(np.uint16)
    key = struct.pack(">H", most * ground)
    if colour == "rgb":
        values, key = np.repeat(values[..., None], 3, axis=2), key * 3
    picture = decode(png(30, 40, depth, 2 if colour == "rgb" else 0, packed(values, depth), chunk(b"tRNS", key)))
    assert picture.transparent
    assert np.array_equal(picture.pixels, np.where(garment(), 255 * (1 - ground), 255))


@pytest.mark.parametrize("depth", [2, 4])
def test_the_key_of_few_bits_is_a_shade_between_black_and_white_too(depth):
    values = np.where(garment(), 0, 1).astype(np.uint16)
    picture = decode(png(30, 40, depth, 0, packed(values, depth), chunk(b"tRNS", b"\0\1")))
    assert np.array_equal(picture.pixels, np.where(garment(), 0, 255))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_a_key_of_16_bits_is_compared_in_all_of_them(interlaced, filtered, tmp_path):
    """A pixel whose upper bytes alone are those of the key is no hole."""
    values = np.full((40, 30, 3), 0x0102, np.uint16)
    values[garment() == 1] = 0x01FF
    rows = packed(values, 16)
    if interlaced:
        passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        rows = [row for x, y, right, down in passes for row in packed(values[y::down, x::right], 16)]
    content = png(30, 40, 16, 2, rows, chunk(b"tRNS", b"\1\2" * 3), interlaced=int(interlaced))
    if filtered:
        content = with_filters(content) if not interlaced else content
    picture = decode(content)
    assert np.array_equal(picture.pixels == 255, garment() == 0)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with Image.open(path) as image:  # given as an image of Pillow's, it is the same image
        assert np.array_equal(flatten(image).pixels, picture.pixels)


def with_filters(content: bytes) -> bytes:
    """The same pixels, each row after one of the five filters in turn."""
    raw = zlib.decompress(content[content.index(b"IDAT") + 4 : content.rindex(b"IEND") - 8])
    rows = np.frombuffer(raw, np.uint8).reshape(40, -1)[:, 1:].astype(int)
    made = []
    for y, row in enumerate(rows):
        up = rows[y - 1] if y else np.zeros_like(row)
        left, corner = np.roll(row, 6), np.roll(up, 6)
        left[:6] = corner[:6] = 0
        straight = left + up - corner
        near = np.array([abs(straight - one) for one in (left, up, corner)])
        paeth = np.choose(near.argmin(axis=0), [left, up, corner])
        predicted = (np.zeros_like(row), left, up, (left + up) // 2, paeth)[y % 5]
        made.append(bytes([y % 5]) + ((row - predicted) % 256).astype(np.uint8).tobytes())
    head = content[: content.index(b"IDAT") - 4]
    return head + chunk(b"IDAT", zlib.compress(b"".join(made))) + chunk(b"IEND", b"")


def test_lower_bytes_are_those_of_the_file():
    values = np.random.default_rng(0).integers(0, 65536, (40, 30, 3), dtype=np.uint16)
    content = with_filters(png(30, 40, 16, 2, packed(values, 16)))
    with Image.open(io.BytesIO(lower_bytes(content))) as image:
        assert np.array_equal(np.asarray(image), values & 255)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_sensors_of_fewer_bits_than_16_are_read_in_full(bits, colour):
    values = np.where(garment(), 0, 2**bits - 1).astype(np.uint16)
    if colour == "rgb":
        values = np.repeat(values[..., None], 3, axis=2)
    picture = decode(png(30, 40, 16, 2 if colour == "rgb" else 0, packed(values, 16)))
    assert np.array_equal(picture.pixels, np.where(garment(), 0, 255))


@pytest.mark.parametrize("name", [b"tEXt", b"iTXt", b"zTXt", b"gAMA", b"pHYs", b"eXIf", b"tIME"])
def test_damage_beside_the_image_costs_nothing(name):
    grey = np.where(garment(), 0, 255).astype(np.uint16)
    whole, damaged = (
        png(30, 40, 8, 0, packed(grey, 8), chunk(name, b"\0" * 4, off=off), chunk(b"bKGD", b"\0\1")) for off in (0, 1)
    )
    assert np.array_equal(decode(damaged).pixels, grey)
    assert whole != damaged


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"])
def test_damage_in_what_the_pixels_need_names_the_chunk(name):
    palette = chunk(b"PLTE", b"\0\0\0\xff\xff\xff") + chunk(b"tRNS", b"\xff\x80")
    content = png(30, 40, 8, 3, packed(garment(), 8), palette)
    decode(content)
    end = content.index(name) + 4 + int.from_bytes(content[content.index(name) - 4 : content.index(name)], "big")
    damaged = content[:end] + bytes([content[end] ^ 1]) + content[end + 1 :]
    with pytest.raises(HangtagError, match=f"checksum of its chunk '{name.decode()}' is wrong") as caught:
        decode(damaged)
    assert caught.value.code == "image_damaged"


def test_no_flipped_bit_of_the_pixels_is_answered():
    rng = np.random.default_rng(0)
    for shape in ((40, 30), (40, 30, 3), (40, 30, 4)):
        file = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(file, "PNG")
        content = file.getvalue()
        start, end = content.index(b"IDAT") + 4, content.rindex(b"IEND") - 8
        for position in rng.integers(start, end, 150):
            damaged = bytearray(content)
            damaged[position] ^= 1 << rng.integers(8)
            assert code_of(bytes(damaged)) == "image_damaged"


def test_of_an_animation_with_a_damaged_frame_the_image_is_read():
    file = io.BytesIO()
    frames = [Image.new("L", (30, 40), value) for value in (10, 100, 200)]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    content = file.getvalue()
    place = content.rindex(b"fdAT") + 9
    assert (decode(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]).pixels == 10).all()


def test_bytes_behind_the_end_are_passed_over():
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "b")
    file = io.BytesIO()
    Image.fromarray(garment().astype(np.uint8)).save(file, "PNG", pnginfo=info)
    assert np.array_equal(decode(file.getvalue() + b"tail" * 100).pixels, garment())
