"""A served bundle with members: what programs and the page read of it."""

import http.client
import io
import json
import threading
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from hangtag import predict
from hangtag.export import members
from hangtag.serve import server

NOISE = np.random.default_rng(0).integers(0, 255, (60, 60, 3)).astype(np.uint8)


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def address(tmp_path, make_member):
    """Where a server listens whose member for photos says how known an image is: how light it is."""
    decision = {"curve": [[0.6, 0.9, 0.99], [0.3, 1.0, 0.9]], "n": 100, "data": "x", "known": 0.2}
    metrics = {"test": {"accuracy": 0.958}}
    small = make_member("a", 28, False, metrics=metrics, data={"name": "fashion-mnist"})
    photos = make_member("b", 48, True, known=True, decision=decision, data={"name": "photos10"})
    members.write("both", {"small": small, "photos": photos}, tmp_path / "whole")
    listening, ready = server.listen("127.0.0.1", 0), threading.Event()
    recogniser = predict.load(tmp_path / "whole", threads=1)
    threading.Thread(target=server.run, args=(recogniser, listening, (), ready.set), daemon=True).start()
    assert ready.wait()
    return "127.0.0.1", listening.getsockname()[1]


@pytest.fixture
def ask(address):
    def ask(path, body=None):
        connection = http.client.HTTPConnection(*address)
        try:
            connection.request("GET" if body is None else "POST", path, body)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    return ask


def test_the_answer_names_the_member_and_how_known_the_image_is(ask):
    status, found = ask("/recognise", png(NOISE))
    assert (status, found["member"], found["status"]) == (200, "photos", "accept")
    assert found["known"] == pytest.approx(0.5, abs=0.05)
    status, found = ask("/recognise", png(NOISE // 8))
    assert (found["member"], found["status"]) == ("photos", "none_of_these")
    assert "too little like any of the classes" in found["why"]
    status, found = ask("/recognise", png(NOISE[:28, :28, 0]))
    assert (found["member"], "known" in found) == ("small", False)


def test_each_member_says_on_what_it_was_evaluated(ask):
    small, photos = ask("/model")[1]["members"]
    assert small == {"name": "small", "size": 28, "colour": False, "data": "fashion-mnist", "test_accuracy": 0.958}
    assert photos == {"name": "photos", "size": 48, "colour": True, "data": "photos10", "test_accuracy": None}


@pytest.mark.parametrize("share", ["0", "98", "nan", "x", ""])
def test_an_accuracy_that_is_none_is_refused(ask, share):
    status, found = ask(f"/recognise?accept_at={quote(share)}", png(NOISE))
    assert (status, found["error"]["code"]) == (400, "request_value")


def test_the_accuracy_to_accept_at_is_refused_where_a_member_has_no_thresholds(ask):
    status, found = ask("/recognise?accept_at=0.9", png(NOISE))
    assert (status, found["error"]["code"]) == (400, "request_value")
    assert found["error"]["message"].startswith("small: this model's card holds no thresholds")


def test_the_page_says_what_was_measured_on_which_kind_of_image(browser, address, tmp_path):
    (tmp_path / "dark.png").write_bytes(png(NOISE // 8))
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto("http://{}:{}".format(*address))
        page.wait_for_function("document.getElementById('about').textContent.includes('photos')")
        about = page.inner_text("#about")
        page.set_input_files("#choose", [tmp_path / "dark.png"])
        page.locator(".why").wait_for()
        assert page.inner_text(".label") == "none of these"
        assert page.inner_text(".why").startswith("None of these kinds: please look. It looks too little like any")
    finally:
        context.close()
    assert "small grey images: 95.8% right on the test images of fashion-mnist" in about
    assert "photos: not evaluated on test images" in about
