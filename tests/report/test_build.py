import base64
import hashlib
import json
import re
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.report import report_on, report_on_two
from hangtag.report.build import MOST_BYTES
from hangtag.report.page import in_script

VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.inside, self.text, self.raw = [], [], [], {"script": [], "style": []}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if self.inside and self.inside[-1] in self.raw:
            self.raw[self.inside[-1]].append(data)
        else:
            self.text.append(data)


def data_of(html):
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)[1])


@pytest.fixture(scope="session")
def page(report):
    return Page(report.html)


def test_reaches_for_nothing_outside_itself(page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "data", "action", "srcset", "poster", "formaction", "xlink:href"):
            if (target := attributes.get(name)) is not None:
                assert target.startswith(("#", "data:")), (tag, name, target[:60])
    for style in page.raw["style"]:
        assert "@import" not in style
        assert all(target.startswith("data:") for target in re.findall(r"url\(\s*['\"]?([^)]{0,40})", style))


def test_its_policy_allows_its_own_script_and_styles_and_nothing_else(page):
    (policy,) = [a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'none'"]
    assert rules["img-src"] == ["data:"]

    def hashes(texts):
        return [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts]

    scripts = [text for text in page.raw["script"] if not text.startswith("{")]
    assert rules["script-src"] == hashes(scripts)
    assert rules["style-src"] == hashes(page.raw["style"])


def test_has_no_inline_handler_and_no_inline_style(page):
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)


def test_names_with_html_in_them_stay_text(page, report, shop):
    text = "".join(page.text)
    for name in shop.names:
        assert name in text
    assert not [a for t, a in page.elements if t == "img" and a.get("src") == "x"]
    assert not [t for t, a in page.elements if t == "svg" and "onload" in a]
    assert "<svg onload" not in report.html
    assert data_of(report.html)["classes"] == list(shop.names)
    assert any("<svg onload=alert(3)>&.png" in picture[6] for picture in data_of(report.html)["pictures"])


@pytest.mark.parametrize(
    "payload",
    [
        "</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028\u2029", "&lt;", "\udcff", "{{ 7 * 7 }}",
        "\x00", "'\"><img src=x onerror=alert(1)>",
    ],
)  # fmt: skip
def test_whatever_a_name_is_the_data_cannot_leave_its_element(payload):
    text = in_script({"classes": [payload]})
    assert "<" not in text
    assert ">" not in text
    text.encode()
    assert json.loads(text)["classes"] == [payload]


def test_every_mistake_is_there_and_of_what_was_right_the_least_certain(report, shop):
    from hangtag import data, predict

    test = data.find(shop.data, size=16).test()
    probabilities = predict.load(shop.bundle).predict_proba(test.images)
    said, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    found = data_of(report.html)
    records, lists = found["pictures"], found["lists"]
    mistakes = [records[number][1] for number in lists["mistakes"]]
    assert sorted(mistakes) == np.flatnonzero(said != test.labels).tolist()
    assert len(mistakes) > 20
    np.testing.assert_array_equal(sure[mistakes], np.sort(sure[mistakes])[::-1])
    for label in range(3):
        shown = [records[n][1] for n in lists["right"] if records[n][2] == label]
        right = np.flatnonzero((said == test.labels) & (test.labels == label))
        assert shown == right[np.argsort(sure[right], kind="stable")][:50].tolist()
    for number in lists["mistakes"]:
        _, index, label, (pairs,), (true,), heat, source = records[number]
        assert (label, pairs[0]) == (test.labels[index], said[index])
        assert pairs[1] == round(1000 * float(sure[index]))
        assert true == round(1000 * float(probabilities[index, label]))
        assert heat >= 0
        assert source == test.sources[index]


def test_fits_into_five_megabytes_and_says_what_it_says_in_json_too(report):
    assert len(report.html.encode()) < MOST_BYTES < 5_000_000
    record = json.loads(json.dumps(report.record, allow_nan=False))
    assert len(record["verdict"]["sentences"]) == 3
    assert {"HT001", "HT003", "HT007"} <= {finding["code"] for finding in record["findings"]}
    assert {"accuracy", "accuracy_interval", "per_class", "latency_ms", "bytes"} <= record["numbers"].keys()
    assert record["calibration"]["temperature"] > 0
    assert record["audit"]["splits"]["test"]["n"] == 240


def test_has_all_sections_in_reading_order(page):
    ids = [attributes.get("id") for tag, attributes in page.elements if tag == "section"]
    wanted = "verdict numbers curves confusion calibration mistakes quality data-glance card"
    assert ids == wanted.split()


def test_a_perfect_model_has_a_report_without_mistakes(made):
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 9, (60, 16, 16)).astype(np.uint8)
    images[labels == 0, :8] += 200
    images[labels == 1, 8:] += 200
    report = made(images, labels, ("upper", "lower"), sharpness=40.0)
    assert report.record["numbers"]["accuracy"] == 1.0
    assert "every picture" in report.sentences[0]
    assert "None: all 60 test pictures were labelled right." in "".join(Page(report.html).text)
    assert data_of(report.html)["lists"]["mistakes"] == []


def test_a_handful_of_pictures_still_makes_a_report(made):
    images = np.random.default_rng(0).integers(0, 255, (6, 16, 16)).astype(np.uint8)
    report = made(images, np.array([0, 0, 0, 1, 1, 1]), ("a", "b"))
    assert report.record["numbers"]["n"] == 6
    assert report.record["calibration"]["temperature"] is None


@pytest.mark.slow
def test_a_hundred_and_thirty_classes_still_make_a_report(made):
    rng = np.random.default_rng(0)
    labels = np.arange(390) % 130
    images = rng.integers(0, 255, (390, 16, 16)).astype(np.uint8)
    report = made(images, labels, tuple(f"class {k:03}" for k in range(130)), sharpness=0.5)
    assert len(report.html.encode()) < MOST_BYTES
    assert "10 others are not" in "".join(Page(report.html).text)


def test_without_training_pictures_it_says_what_cannot_be_told(shop, monkeypatch):
    from hangtag.report import judged

    found = judged.dataset_of

    def only_test(card, data, progress):
        import dataclasses

        def lost():
            raise HangtagError("data_not_found", "the training pictures are gone")

        return dataclasses.replace(found(card, data, progress), training=lost)

    monkeypatch.setattr(judged, "dataset_of", only_test)
    report = report_on(shop.bundle, shop.data)
    assert "cannot be told" in report.sentences[1]
    assert report.record["calibration"]["temperature"] is None
    assert "the training pictures are gone" in "".join(Page(report.html).text)


@pytest.mark.slow
def test_two_models_side_by_side_show_the_pictures_on_which_they_differ(shop):
    from hangtag import data, predict

    report = report_on_two(shop.bundle, shop.other, shop.data)
    test = data.find(shop.data, size=16).test()
    one, two = (predict.load(b).predict_proba(test.images).argmax(axis=1) for b in (shop.bundle, shop.other))
    found = data_of(report.html)
    right = one == test.labels, two == test.labels
    for kind, wanted in {
        "only_first": right[0] & ~right[1],
        "only_second": right[1] & ~right[0],
        "both_wrong": ~right[0] & ~right[1] & (one != two),
    }.items():
        shown = [found["pictures"][number][1] for number in found["lists"][kind]]
        assert sorted(shown) == np.flatnonzero(wanted).tolist()
    assert report.record["comparison"]["difference"] == pytest.approx(right[1].mean() - right[0].mean())
    assert found["names"] == ["stripes", "blunt"]
    assert "stripes" in report.sentences[0]


@pytest.mark.slow
def test_models_of_different_classes_cannot_be_compared(shop, tmp_path):
    with pytest.raises(HangtagError) as caught:
        report_on_two(shop.bundle, "default", shop.data)
    assert caught.value.code == "bundle_incompatible"


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_thousand_pictures_take_less_than_a_minute_of_two_cores():
    """Processor time, so that a busy machine does not fail it."""
    began = time.process_time()
    report = report_on("default")
    assert time.process_time() - began < 2 * 60
    assert report.record["numbers"]["n"] == 10_000
    assert len(report.html.encode()) < MOST_BYTES
    found = data_of(report.html)
    assert len(found["lists"]["mistakes"]) == round(10_000 * (1 - report.record["numbers"]["accuracy"]))
    assert "White garments were left out" in report.html
