"""Any bytes in: plain upright pixels out, or a reason."""

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import decode, flatten


def garment(height: int = 60, width: int = 44) -> np.ndarray:
    """A dark T on white, a little to one side, so that every rotation and reflection of it differs."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[8:20, 4 : width - 8] = 0
    pixels[8 : height - 8, 12:28] = 0
    return pixels


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def seeds() -> list[bytes]:
    """Nine small files, of every kind accepted."""
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 3)
    colour = Image.merge("RGB", [grey, grey.rotate(90), grey.rotate(180)])
    clear = colour.copy()
    clear.putalpha(grey)
    return [
        encode(grey),
        encode(colour.quantize(8)),
        encode(clear),
        encode(colour, "JPEG"),
        encode(grey, "JPEG", progressive=True),
        encode(colour.convert("CMYK"), "JPEG"),
        encode(colour, "WEBP", lossless=True),
        encode(clear, "WEBP"),
        encode(colour, "AVIF"),
    ]


GREY = garment()
IMAGE = Image.fromarray(GREY)


def code_of(content: bytes) -> str:
    with pytest.raises(HangtagError) as caught:
        decode(content)
    assert "\n" not in caught.value.message
    return caught.value.code


def same_picture_in_every_mode():
    rgba = IMAGE.convert("RGBA")
    clear = rgba.copy()
    clear.putalpha(Image.fromarray(255 - GREY))  # what was white is see-through, over a colour that must not show
    clear = Image.composite(clear, Image.new("RGBA", clear.size, (0, 90, 200, 0)), clear.getchannel("A"))
    palette_clear = Image.fromarray((GREY == 0).astype(np.uint8))
    palette_clear.putpalette([255, 0, 255, 0, 0, 0])
    sixteen = Image.fromarray(GREY.astype(np.uint16) * 257)
    return {
        "1": encode(IMAGE.convert("1")),
        "L": encode(IMAGE),
        "LA": encode(IMAGE.convert("LA")),
        "LA clear": encode(clear.convert("LA")),
        "P": encode(IMAGE.convert("P")),
        "P clear": encode(palette_clear, transparency=0),
        "L clear": encode(IMAGE, transparency=255),
        "RGB": encode(IMAGE.convert("RGB")),
        "RGBA": encode(rgba),
        "RGBA clear": encode(clear),
        "I;16": encode(sixteen),
        "I;16 clear": encode(sixteen, transparency=65535),
        "L JPEG": encode(IMAGE, "JPEG", quality=95),
        "CMYK JPEG": encode(IMAGE.convert("CMYK"), "JPEG", quality=95),
        "RGB WebP": encode(IMAGE.convert("RGB"), "WEBP", lossless=True),
        "RGBA WebP": encode(clear, "WEBP", lossless=True),
        "L AVIF": encode(IMAGE, "AVIF", quality=95),
    }


@pytest.mark.parametrize("mode", same_picture_in_every_mode())
def test_one_picture_in_every_mode_gives_the_same_pixels(mode):
    content = same_picture_in_every_mode()[mode]
    picture = decode(content)
    tolerance = 40 if "JPEG" in mode or "AVIF" in mode else 0
    assert picture.pixels.shape == GREY.shape
    assert np.abs(picture.pixels.astype(int) - GREY).max() <= tolerance
    assert picture.transparent == ("clear" in mode or mode == "RGBA WebP")


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F"]
)
def test_one_pillow_image_in_every_mode_gives_the_same_pixels(mode):
    through = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    image = (
        IMAGE.convert(through) if through else IMAGE.convert("RGB") if mode in ("YCbCr", "HSV") else IMAGE
    ).convert(mode)
    assert np.abs(flatten(image).pixels.astype(int) - GREY).max() <= 1


def test_takes_the_upper_8_of_16_bits():
    values = np.array([[0, 255, 256, 65535]], np.uint16)
    assert decode(encode(Image.fromarray(values))).pixels.tolist() == [[0, 0, 1, 255]]


def test_stretches_floats_from_0_to_1_and_refuses_what_is_no_number():
    assert flatten(Image.fromarray(np.array([[0, 0.5, 1]], np.float32))).pixels.tolist() == [[0, 128, 255]]
    with pytest.raises(HangtagError, match="not numbers"):
        flatten(Image.fromarray(np.array([[0, np.nan]], np.float32)))


def test_lays_half_transparency_on_white():
    image = Image.new("RGBA", (2, 1), (200, 100, 0, 128))
    assert decode(encode(image)).pixels[0, 0].tolist() == [227, 177, 127]  # (c * 128 + 255 * 127) / 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_applies_exif_orientation_once(orientation, kind):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation -> Image.Transpose that a camera so held did
    stored = IMAGE.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else IMAGE
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}}[kind]
    picture = decode(encode(stored, kind, exif=exif, **options))
    assert picture.pixels.shape == GREY.shape
    assert np.abs(picture.pixels.astype(int) - GREY).max() <= (40 if kind == "JPEG" else 0)


def test_shows_a_good_picture_whose_metadata_is_damaged():
    content = encode(IMAGE, "JPEG", quality=95, exif=b"Exif\0\0" + b"II*\0\xff\xff\xff\xff" + b"\x7f" * 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(content).pixels.shape == GREY.shape


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_looks_at_the_first_frame_only(kind):
    frames = [Image.new("L", (6, 6), value) for value in (10, 100, 200)]
    picture = decode(encode(frames[0].convert("RGB"), kind, save_all=True, append_images=frames[1:], lossless=True))
    assert picture.frames_ignored == 2
    assert (picture.pixels == 10).all()


def test_calls_nothing_empty():
    assert code_of(b"") == "image_empty"


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><p>not found</p>",
        b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"plain text",
        b"MZ\x90\0" + bytes(60),
        b"\x7fELF" + bytes(60),
        b"8BPS" + bytes(60),
        b"SIMPLE  =                    T",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\xd7\xcd\xc6\x9a" + bytes(60),
        b"\0\0\x01\0" + bytes(60),
        b"\0\0\0\x18ftypheic" + bytes(60),
        b"RIFF\x10\0\0\0WAVEfmt " + bytes(60),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # FPX
        encode(IMAGE, "GIF"),
        encode(IMAGE, "TIFF"),
        encode(IMAGE, "BMP"),
        encode(IMAGE, "ICO", sizes=[(16, 16)]),
    ],
    ids=lambda content: ascii(content[:8]),
)
def test_refuses_other_kinds_by_their_first_bytes_before_pillow(content, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("Pillow was given it"))
    assert code_of(content) == "image_unsupported"


def test_calls_every_cut_truncated(seeds):
    for seed in seeds:
        decode(seed)
        pixels_end = len(seed) - (2 if seed[:2] == b"\xff\xd8" else 0)  # a JPEG may lack its end marker
        assert {code_of(seed[:length]) for length in range(1, pixels_end)} == {"image_truncated"}


def test_survives_every_flipped_byte(seeds):
    for seed in seeds:
        for position in range(0, len(seed), 3):
            damaged = bytearray(seed)
            damaged[position] ^= 0xFF
            try:
                assert decode(bytes(damaged)).pixels.dtype == np.uint8
            except HangtagError as error:
                assert error.code.startswith("image_")  # noqa: PT017


@settings(max_examples=150, deadline=None)
@given(data=st.data(), tail=st.binary(max_size=200))
def test_survives_any_bytes_behind_a_good_start(seeds, data, tail):
    seed = data.draw(st.sampled_from(seeds))
    content = seed[: data.draw(st.integers(0, len(seed)))] + tail
    try:
        assert decode(content).pixels.size
    except HangtagError as error:
        assert error.code.startswith("image_")  # noqa: PT017


@pytest.mark.parametrize("size", [(30_000, 30_000), (65_535, 1), (1, 65_535), (8_000, 5_001), (2**31 - 1, 2**31 - 1)])
def test_refuses_too_many_pixels_by_the_header(size):
    assert code_of(png_claiming(*size)) == "image_too_many_pixels"


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_refuses_a_picture_without_width(size):
    assert code_of(png_claiming(*size)) == "image_damaged"


def test_refuses_a_text_bomb():
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "a" * 80_000_000, zip=True)
    content = encode(IMAGE, pnginfo=info)
    assert len(content) < 1_000_000
    assert code_of(content) == "image_damaged"


@pytest.mark.slow
def test_a_run_of_ff_where_a_marker_should_be_takes_no_time():
    jpeg = encode(IMAGE, "JPEG")
    assert code_of(b"\xff\xd8" + b"\xff" * 4_000_000 + b"\x00") == "image_truncated"
    assert decode(jpeg[:2] + b"\xff" * 1_000 + jpeg[2:]).pixels.shape == GREY.shape  # fill bytes are allowed


def test_many_threads_leave_the_filters_of_warnings_as_they_were():
    content = png_claiming(7_000, 5_000)  # Pillow would remark on nothing smaller
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool, warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        inside = list(warnings.filters)
        codes = list(pool.map(lambda _: code_of(content), range(16)))
        assert warnings.filters == inside
    assert set(codes) == {"image_truncated"}
    assert heard == []
    assert warnings.filters == before


def test_takes_a_jpeg_with_a_preview_and_bytes_after_its_end():
    preview = encode(IMAGE.resize((8, 8)), "JPEG")
    content = encode(IMAGE, "JPEG", exif=b"Exif\0\0" + preview) + bytes(500)
    assert decode(content).pixels.shape == GREY.shape
    assert code_of(content[: len(content) // 2]) == "image_truncated"


def test_averages_a_large_picture_down_but_never_below_enough():
    large = IMAGE.resize((440, 600), Image.Resampling.NEAREST)
    for kind in ("PNG", "JPEG", "WEBP"):
        height, width = decode(encode(large, kind), enough=100).pixels.shape
        assert 100 <= height <= 200
        assert width == pytest.approx(height * 440 / 600, abs=1)
    assert decode(encode(large), enough=601).pixels.shape == (600, 440)


def test_leaves_pillow_as_strict_as_it_was():
    from PIL import ImageFile

    decode(encode(IMAGE))
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def packed(rows: bytes, interlaced: int = 0) -> bytes:
    """A PNG of 8 x 8 grey pixels that holds just these packed rows."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_png_without_all_of_its_rows_or_their_checksum_is_truncated():
    rows = zlib.compress(bytes(8 * 9))
    assert decode(packed(rows)).pixels.shape == (8, 8)
    assert decode(packed(zlib.compress(bytes(8 * 9 + 7)), interlaced=1)).pixels.shape == (8, 8)
    assert decode(packed(zlib.compress(bytes(9 * 9)))).pixels.shape == (8, 8)  # a row too many
    for cut in (packed(zlib.compress(bytes(7 * 9))), packed(rows[:-4]), packed(rows[:-1])):
        assert code_of(cut) == "image_truncated"


def test_flipped_bits_of_packed_pixels_are_damage_though_their_chunk_is_sound():
    """Whoever repairs the chunk's checksum does not repair that of the pixels."""
    rows = zlib.compress(np.random.default_rng(0).integers(0, 256, 8 * 8, dtype=np.uint8).reshape(8, 8).tobytes())
    body = zlib.compress(b"".join(b"\0" + zlib.decompress(rows)[i : i + 8] for i in range(0, 64, 8)))
    whole = decode(packed(body)).pixels
    for bit in range(16, 8 * len(body)):  # behind the two bytes that say how it is packed
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = decode(packed(bytes(flipped))).pixels
        except HangtagError:
            continue
        assert np.array_equal(found, whole)


def test_an_image_of_pillows_whose_file_was_closed_says_so(tmp_path):
    for kind in ("JPEG", "PNG"):
        IMAGE.save(tmp_path / "a", kind)
        with Image.open(tmp_path / "a") as image:
            pass
        with pytest.raises(HangtagError, match="closed before it was read"):
            flatten(image)


def test_an_avif_is_upright_laid_on_white_and_of_its_first_frame():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = IMAGE.transpose(Image.Transpose.ROTATE_90)
    picture = decode(encode(turned, "AVIF", exif=exif, quality=95))
    assert picture.pixels.shape == GREY.shape
    assert np.abs(picture.pixels.astype(int) - GREY).max() <= 40
    frames = [Image.new("RGB", (64, 64), (value,) * 3) for value in (10, 100, 200)]
    assert decode(encode(frames[0], "AVIF", save_all=True, append_images=frames[1:])).frames_ignored == 2
    clear = IMAGE.convert("RGBA")
    clear.putalpha(0)
    picture = decode(encode(clear, "AVIF"))
    assert picture.transparent
    assert (picture.pixels == 255).all()


def test_the_size_of_an_avif_is_looked_at_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr("hangtag.preprocess.decode.MAX_PIXELS", 1_000)
    assert code_of(encode(IMAGE, "AVIF")) == "image_too_many_pixels"
