"""An image that was sent in some other way than as it is: the way is named, and so is the right one."""

import base64
import gzip
import io
import json
import random

import numpy as np
import pytest
from PIL import Image

from hangtag.serve import body


def image(kind: str, side: int = 90) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


IMAGES = {kind: image(kind) for kind in ("PNG", "JPEG", "WEBP")}
FORM = "application/x-www-form-urlencoded"


def without_line_ends(content: bytes) -> bytes:  # curl -d @file
    return content.replace(b"\r", b"").replace(b"\n", b"")


WAYS = {
    "curl -d": (without_line_ends, FORM, "lost its line ends"),
    "base64": (base64.b64encode, FORM, "base64"),
    "base64 in lines": (base64.encodebytes, "", "base64"),
    "base64 for addresses": (base64.urlsafe_b64encode, "text/plain", "base64"),
    "a data: URL": (lambda c: b"data:image/png;base64," + base64.b64encode(c), "", "data: URL"),
    "JSON": (lambda c: json.dumps({"image": base64.b64encode(c).decode()}).encode(), "application/json", "JSON"),
    "JSON called a form": (lambda c: json.dumps({"image": base64.b64encode(c).decode()}).encode(), FORM, "JSON"),
    "a JSON string": (lambda c: json.dumps(base64.b64encode(c).decode()).encode(), "", "JSON"),
    "a JSON list": (lambda c: json.dumps(list(c)).encode(), "", "JSON"),
    "hexadecimal": (lambda c: c.hex().encode(), "", "hexadecimal"),
    "Python's notation": (lambda c: repr(c).encode(), "", "Python"),
    "a form's field": (lambda c: b"image=" + base64.b64encode(c), FORM, "form"),
    "a form's field, quoted": (lambda c: b"image=%89PNG%0D%0A", FORM, "form"),
    "a form without its header": (
        lambda c: b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + c + b"\r\n--x--\r\n",
        "",
        "multipart",
    ),
    "text that was replaced": (lambda c: c.decode("utf-8", "replace").encode(), "", "text"),
    "text in Latin-1": (lambda c: c.decode("latin-1").encode(), "", "text"),
    "gzip": (gzip.compress, "", "gzip"),
    "a file's name": (lambda c: b"@shirt.png", FORM, "name of a file"),
    "an address": (lambda c: b"https://example.org/a.png", "", "not fetched"),
}


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("way", WAYS)
def test_the_way_it_was_sent_is_named_and_so_is_the_right_one(ask, way, kind):
    send, content_type, word = WAYS[way]
    status, _, answer = ask(body=send(IMAGES[kind]), headers={"Content-Type": content_type} if content_type else {})
    assert (status, answer["error"]["code"]) == (415, "request_unsupported")
    assert word in answer["error"]["message"]
    assert "--data-binary @" in answer["error"]["message"]
    assert "\n" not in answer["error"]["message"]


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("content_type", ["", FORM, "application/octet-stream", "image/jpeg", "application/json", "x"])
def test_an_image_as_it_is_is_taken_whatever_it_is_called(ask, kind, content_type):
    assert ask(body=IMAGES[kind], headers={"Content-Type": content_type})[0] == 200


def test_a_png_read_as_text_on_windows_is_named(ask):
    changed = IMAGES["PNG"].replace(b"\r\n", b"\n")
    assert "line ends were changed" in ask(body=changed)[2]["error"]["message"]


@pytest.mark.parametrize("content", [b"hello", b"x" * 20, b"", b"%PDF-1.7", b"\0" * 100, b"<html>"])
def test_what_nobody_ever_sends_for_an_image_is_left_to_the_decoder(content):
    assert body.how_sent(content, "") is None


@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain"])
def test_a_damaged_image_is_called_damaged_whatever_it_is_called(ask, kind, content_type):
    status, _, answer = ask(body=IMAGES[kind][:-200], headers={"Content-Type": content_type})
    assert (status, answer["error"]["code"]) == (422, "image_truncated")


def test_whatever_comes_is_looked_at_without_a_failure():
    chance = random.Random(3)
    for content in IMAGES.values():
        for send, content_type, _ in WAYS.values():
            sent = bytearray(send(content)[:300])
            for _ in range(30):
                sent[chance.randrange(len(sent))] = chance.randrange(256)
                said = body.how_sent(bytes(sent[: chance.randrange(300)]), content_type)
                assert said is None or "\n" not in said
