"""What is no image that is read is called by its true name, with what to do about it."""

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.preprocess.formats import sniff

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(40)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ftyp(b"avif", b"mif1", b"miaf"), "AVIF"),
        (ftyp(b"avis", b"msf1"), "AVIF"),
        (ftyp(b"mif1", b"avif", b"miaf"), "AVIF"),
        (ftyp(b"msf1", b"avis"), "AVIF"),
        *((ftyp(brand, b"mif1"), "HEIC") for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")),
        (ftyp(b"mif1", b"heic"), "HEIC"),
        (ftyp(b"mif2", b"heic"), "HEIC"),
        (ftyp(b"mif1"), "HEIC"),
    ],
)
def test_the_brands_say_whether_it_is_an_avif_or_a_heic(content, kind):
    assert sniff(content) == kind


@pytest.mark.parametrize(
    ("content", "name", "cure"),
    [
        (LFS, "a Git LFS pointer", "git lfs pull"),
        (LFS.replace(b"\n", b"\r\n"), "a Git LFS pointer", "git lfs pull"),
        (b"/annex/objects/SHA256E-s31390--f50d7ac4.jpg\n", "a git-annex pointer", "git annex get"),
        (b"../../../.git/annex/objects/x/y/MD5E-s1--a.jpg", "a git-annex pointer", "git annex get"),
        (b"\xef\xbb\xbfversion https://git-lfs.github.com/spec/v1\r\noid", "a Git LFS pointer", "git lfs pull"),
        (b"\xef\xbb\xbfa note\r\n", "text", "give the image itself"),
        (b"\xff\x0a\xfa\x1f" + bytes(20), "a JPEG XL image", "save it as one of these"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "a JPEG XL image", "save it as one of these"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20), "a JPEG 2000 image", "save it as one of these"),
        (b"\xff\x4f\xff\x51" + bytes(20), "a JPEG 2000 image", "save it as one of these"),
        (ftyp(b"crx ", b"isom"), "a camera's RAW file (CR3)", "save it as one of these"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(20), "a camera's RAW file (CR2)", "save it as one of these"),
        (b"II*\0\x08\0\0\0" + bytes(20), "a TIFF, or a camera's RAW file", "save it as one of these"),
        (ftyp(b"isom", b"mp42"), "a video", "save it as one of these"),
        (ftyp(b"qt  "), "a video", "save it as one of these"),
        (b"<!DOCTYPE html><title>Log in</title>", "a web page", "download it again"),
        (b"\xef\xbb\xbf\n<svg xmlns=''/>", "an SVG drawing", "save it as one of these"),
        (b'{"error": "not found"}', "JSON", "give the image itself"),
        (b"plain text\n", "text", "give the image itself"),
        ("Größe: 40\n".encode(), "text", "give the image itself"),
        (b"https://x.org/a.jpg\n", "an address, as text", "download"),
        (b"data:image/png;base64,iVBORw0KGgo=", "a data: address, as text", "decode its base64"),
        (b"iVBORw0KGgoAAAANSUhEUg==", "a PNG in base64", "decode it"),
        (b"\r\n\xff\xd8\xff\xe0" + bytes(20), "an image behind blanks or line breaks", "its bytes alone"),
        (b"\x93NUMPY\x01\0" + bytes(20), "a NumPy array", "np.load"),
        (b"\x1f\x8b\x08" + bytes(20), "a gzip archive", "unpack it"),
        (bytes(100), "nothing but zeros", "download it again"),
        (bytes(range(130, 200)), "something else", "save it as one of these"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_everything_else_is_called_by_its_name(content, name, cure):
    with pytest.raises(HangtagError) as caught:
        sniff(content)
    assert caught.value.code == "image_unsupported"
    assert f"not a JPEG, PNG, WebP or AVIF but {name}: " in caught.value.message
    assert cure in caught.value.message


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", ftyp(b"avif")[:12]])
def test_a_start_too_short_to_tell_is_truncated(start):
    for length in range(1, len(start)):
        with pytest.raises(HangtagError) as caught:
            sniff(start[:length])
        assert caught.value.code == "image_truncated"


def test_no_bytes_end_in_anything_but_a_kind_or_a_reason():
    rng = np.random.default_rng(0)
    for length in range(200):
        content = rng.bytes(length)
        try:
            assert sniff(content) in ("JPEG", "PNG", "WEBP", "AVIF", "HEIC")
        except HangtagError as error:
            assert error.code in ("image_empty", "image_truncated", "image_unsupported")  # noqa: PT017
