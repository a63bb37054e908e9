"""HEIC: read with the extra that decodes it, and called by its name, and the extra's, without."""

import base64
import importlib

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.preprocess.decode import decode
from hangtag.preprocess.decoder import Decoder

# A dark T on white, 60 x 44, drawn for this test and encoded at quality 95.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAV8AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j"
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAACwAAAABAAAAPAAAAAH////sAAAAAv////wAAAACAAAAEHBp"
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAWdtZGF0AAABWygBrwa48YiWj1nvP4uWwL58QANBw+GhvZ/8sz9x"
    "B+iJvp5YGM7o8KgsTWf2bw0nnizFgBEHJuVE4Xx/N/iiB2yN/7+NwDbDXi3hip8EX4X++O78EIFU2KwAPfx8uxLoaAeZ63LyUU5f"
    "U5PU/Dvw7/BvCDpsyiAOAIhT8+oDvYnn+Bgwn5GmfqWO+xdbZ2MlM7fS/oJ+P8fg9/4j4j/fkDlAZXWVdfOpwmPm6HKv7ZQ/qqCn"
    "00UxrydUQCbA1OJ50Rl//VarVNWBHgZN3zuGVju0pdiOfqyHrRA8Ue/8Xi8WItKc6NjxVmfxAzv3zsL3+V69yQTM+a1B8qmfKVQn"
    "E77/MFMM7987C97HevXlJsPxdR41988na5CKosYMwqeBmTVYVV4lMJyMo7+b+cZ9olD7vtsSf6haNSMFAGLgQ3VNeQ2jakwMqq9g"
    "CPMn7con9q2T5jzP4iAATo1g"
)


@pytest.fixture
def extra():
    pytest.importorskip("pi_heif", reason="the extra heic is not installed: pip install 'hangtag[heic]'")


def garment() -> np.ndarray:
    pixels = np.full((60, 44), 255, np.uint8)
    pixels[8:20, 4:36] = 0
    pixels[8:52, 12:28] = 0
    return pixels


def test_without_the_extra_it_is_named_with_what_to_install(monkeypatch):
    def missing(name, *_):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for content in (HEIC, HEIC[:40]):
        with pytest.raises(HangtagError) as caught:
            decode(content)
        assert caught.value.code == "image_unsupported"
        assert caught.value.message == "a HEIC image: to read it, pip install 'hangtag[heic]'; or save it as JPEG"


def test_with_the_extra_it_is_read(extra):
    assert np.abs(decode(HEIC).pixels.astype(int) - garment()).max() <= 40


def test_with_the_extra_it_is_read_in_the_decoders_process(extra):
    decoder = Decoder(workers=1)
    try:
        assert decoder.convert(HEIC, 28, False).max() == 255
    finally:
        decoder.close()


def test_with_the_extra_a_cut_one_is_truncated(extra):
    for length in range(12, len(HEIC), 7):
        with pytest.raises(HangtagError) as caught:
            decode(HEIC[:length])
        assert caught.value.code == "image_truncated"


def test_with_the_extra_its_size_is_looked_at_before_it_is_decoded(extra, monkeypatch):
    monkeypatch.setattr("hangtag.preprocess.decode.MAX_PIXELS", 60 * 44 - 1)
    with pytest.raises(HangtagError) as caught:
        decode(HEIC)
    assert caught.value.code == "image_too_many_pixels"
