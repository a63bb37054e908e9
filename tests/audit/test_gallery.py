"""Pages of findings: whole names, links, ticks and a list saved as CSV, whatever the files are called."""

import csv
import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from PIL import Image

from hangtag.audit import Audit, LabelError, NearDuplicate, OddPicture, gallery
from hangtag.audit.gallery import MOST, galleries, near_duplicate_cards
from hangtag.core.types import Split
from hangtag.data.sets import drawn
from hangtag.report import page as report_page

NAMES = (
    "coat/plain.png",
    'coat/=1+1,"quoted" 50% #7?.png',
    "coat/<img src=x onerror=alert(1)>.png",
    "coat/" + "a long name that is never cut " * 6 + ".png",
    "coat/\x1b[31mred\nline \u202egnp.exe.png",
)


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    """Five photos in training, of which one is in test too, one odd and one likely mislabelled."""
    root = tmp_path_factory.mktemp("shop")
    images = drawn.pictures(6, seed=2, size=96, colour=True).images
    sources = {"training": NAMES, "test": ("coat/plain.png",)}
    splits, number = {}, 0
    for split, names in sources.items():
        for name in names:
            (root / split / "coat").mkdir(parents=True, exist_ok=True)
            Image.fromarray(images[number]).save(root / split / name)
            number += 1
        unread = np.zeros((len(names), 1, 1), np.uint8)
        splits[split] = Split(unread, np.zeros(len(names), np.int64), ("=coat", "<b>hat"), names)
    return Audit(
        "<i>shop",
        splits,
        {"training": 5},
        {"training": [LabelError(3, 0, 1, 0.004)]},
        {
            ("training", "training"): [NearDuplicate(1, 2, 0.01, "cropped")],
            ("training", "test"): [NearDuplicate(1, 0, 0.02, "mirrored")],
        },
        {"training": [OddPicture(4, "blank", 0.0)], "test": []},
        {split: root / split for split in sources},
    )  # fmt: skip


@pytest.fixture(scope="module")
def pages(audit):
    return dict(galleries(audit))


def test_each_kind_of_which_something_was_found_has_a_page(audit, pages):
    assert list(pages) == ["label-errors.html", "near-duplicates.html", "odd-pictures.html"]
    assert [name for name, _ in galleries(replace(audit, label_errors={}, odd_pictures={}))] == ["near-duplicates.html"]
    assert list(galleries(replace(audit, label_errors={}, odd_pictures={}, near_duplicates={}))) == []


def test_pairs_across_splits_come_first_and_are_called_a_leak(audit, pages):
    assert [card.leak for card in near_duplicate_cards(audit)] == [True, False]
    assert pages["near-duplicates.html"].count("leak: in both splits") == 1


def test_names_are_whole_and_their_links_open_the_very_file(pages):
    links = re.findall(r'class="name" href="([^"]*)"[^>]*>([^<]*)<', "".join(pages.values()))
    assert {Path(unquote(urlsplit(unescape(address)).path)).read_bytes()[:4] for address, _ in links} == {b"\x89PNG"}
    shown = {unescape(name) for _, name in links}
    assert {NAMES[1], NAMES[2], NAMES[3]} <= shown
    assert "coat/\\x1b[31mred\\nline \\u202egnp.exe.png" in shown


def test_a_page_reaches_for_nothing_and_no_name_is_markup(pages):
    for html in pages.values():
        assert "<img src=x" not in html
        assert "<i>" not in html
        assert "<b>hat" not in html
        assert not re.search(r'(src|href)="(?!data:image/|file:///|[a-z-]+\.html")', html)
        assert not re.search(r"@import|url\(", html)
        assert "default-src 'none'" in html
        assert not any(character in html for character in "\x1b\u202e")


def test_no_more_is_shown_than_people_look_at_and_the_page_says_so(audit):
    odd = {"training": [OddPicture(4, "blank", 0.0)] * (MOST + 30), "test": []}
    ((_, html),) = galleries(replace(audit, label_errors={}, near_duplicates={}, odd_pictures=odd))
    assert html.count('class="card"') == MOST
    assert f"{MOST + 30} found, the worst {MOST} shown; audit.csv has all" in html


def test_a_file_that_is_gone_has_a_card_without_its_photo(audit, tmp_path):
    ((_, html),) = galleries(
        replace(audit, label_errors={}, near_duplicates={}, folders={"training": tmp_path, "test": tmp_path})
    )
    assert "the file cannot be read" in html


def test_images_without_files_show_their_pixels_and_their_number():
    training = drawn.pictures(4, seed=1)
    audit = Audit("drawn", {"training": training}, {}, {}, {}, {"training": [OddPicture(2, "outlier", 0.3)]})
    ((_, html),) = galleries(audit)
    assert "class=small" in html
    assert 'href="file' not in html
    assert '<span class="name">2</span>' in html


def test_thumbnails_show_the_photo_in_colour_at_160_pixels_or_more(pages):
    import base64

    encoded = re.search(r"data:image/webp;base64,([^\"]+)", pages["odd-pictures.html"])
    image = Image.open(io.BytesIO(base64.b64decode(encoded[1])))
    assert min(image.size) >= 160
    assert image.mode == "RGB"


def test_colours_and_fonts_are_the_reports():
    tokens = re.compile(r":root \{.*?\n\}", re.DOTALL)
    own = (Path(gallery.__file__).parent / "gallery.css").read_text(encoding="utf-8")
    theirs = (Path(report_page.__file__).parent / "page.css").read_text(encoding="utf-8")
    assert tokens.search(own)[0] == tokens.search(theirs)[0]


@pytest.fixture
def visit(browser, pages, tmp_path):
    """visit(width, scheme) -> the page of pairs; fails at the end if anything went wrong or went out."""
    contexts, faults = [], []
    (tmp_path / "near-duplicates.html").write_text(pages["near-duplicates.html"], encoding="utf-8")

    def visit(width=1280, scheme="light", **more):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
        contexts.append(context)
        context.set_default_timeout(300_000)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request", lambda request: request.url.startswith(("file:", "data:", "blob:")) or faults.append(request.url)
        )
        page.goto((tmp_path / "near-duplicates.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []


def saved(page):
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "near-duplicates-list.csv"
    return Path(download.value.path()).read_bytes()


@pytest.mark.slow
def test_two_ticks_are_a_list_of_two_rows_whatever_the_names(visit, audit):
    page = visit()
    assert page.is_disabled("#save")
    page.locator("input").nth(0).check()  # the same image is in the pair below too
    page.locator("input").nth(3).check()
    assert page.inner_text("#count") == "2 images on the list"
    assert page.locator("input").nth(2).is_checked()
    content = saved(page)
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == 3
    first, second = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert first == {
        "path": str(audit.file("training", 1)),
        "label": "'=coat",
        "reason": "mirrored",
        "split": "training",
        "score": "0.020000",
        "suggested": "",
        "partner": str(audit.file("test", 0)),
    }
    assert (second["path"], second["reason"]) == (str(audit.file("training", 2)), "cropped")


@pytest.mark.slow
def test_ticks_survive_a_reload_until_they_are_cleared(visit):
    page = visit()
    page.locator("input").nth(1).focus()
    page.keyboard.press("Space")
    page.reload()
    assert page.inner_text("#count") == "1 image on the list"
    page.click("#clear")
    assert page.locator("input:checked").count() == 0
    page.reload()
    assert page.inner_text("#count") == "Nothing on the list yet"


@pytest.mark.slow
def test_without_storage_the_list_still_works(visit):
    page = visit()
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
    page.reload()
    page.click(".look >> nth=1")  # a click on the photo ticks it
    assert page.inner_text("#count") == "1 image on the list"
    assert saved(page).count(b"\r\n") == 2


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_a_page_is_never_wider_than_the_screen_and_its_photos_are_drawn(visit, width, scheme):
    page = visit(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].every(image => image.naturalWidth >= 160)")
    assert page.locator(".look").first.bounding_box()["width"] >= (160 if width > 400 else 140)
