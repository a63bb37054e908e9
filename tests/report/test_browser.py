"""The report in a real browser: what a reader clicks, sees and is spared."""

import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hangtag import data, predict
from hangtag.report import report_on_two

from .conftest import NAMES, pictures

pytestmark = pytest.mark.slow  # builds two reports and opens each many times


@pytest.fixture(scope="session")
def files(report, shop, tmp_path_factory):
    """The report and the comparison as files."""
    folder = tmp_path_factory.mktemp("reports")
    report.write(folder / "report.html")
    report_on_two(shop.bundle, shop.other, shop.data).write(folder / "comparison.html")
    return folder


@pytest.fixture
def visit(browser, files):
    """visit(name, width, scheme) -> the open page; fails at the end if anything went wrong or went out."""
    contexts, faults = [], []

    def visit(name="report.html", width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(300_000)
        page = context.new_page()
        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or faults.append(request.url))
        page.goto(f"file://{files / name}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def truth(shop):
    """The test pictures, what the model says of each, and how sure it is."""
    test = data.find(shop.data, size=16).test()
    probabilities = predict.load(shop.bundle).predict_proba(test.images)
    return test, probabilities.argmax(axis=1), probabilities.max(axis=1)


def indices(page, gallery):
    """Places in the test split of the pictures a gallery shows, in order."""
    return page.evaluate(
        """gallery => {
            const pictures = JSON.parse(document.getElementById("data").textContent).pictures;
            const tiles = [...document.querySelectorAll(`${gallery} .tile`)];
            return tiles.map(tile => pictures[tile.dataset.pictures.split(" ")[0]][1]);
        }""",
        gallery,
    )


def pixels(element, size):
    """What is drawn on the screen in the middle of each of the picture's pixels, (size, size) grey."""
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("L"))
    at = ((np.arange(size) + 0.5) * shot.shape[0] / size).astype(int)
    return shot[at][:, at]


def show_all(page, gallery):
    while page.query_selector(f"{gallery} .more"):
        page.click(f"{gallery} .more")


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        ("report.html", "light", 1280),
        ("comparison.html", "dark", 390),
        pytest.param("report.html", "dark", 1280, marks=pytest.mark.slow),
        pytest.param("report.html", "light", 390, marks=pytest.mark.slow),
        pytest.param("report.html", "dark", 390, marks=pytest.mark.slow),
        pytest.param("comparison.html", "light", 1280, marks=pytest.mark.slow),
        pytest.param("comparison.html", "light", 390, marks=pytest.mark.slow),
        pytest.param("comparison.html", "dark", 1280, marks=pytest.mark.slow),
    ],
)
def test_opens_from_disk_without_a_word_and_is_never_wider_than_the_screen(visit, name, width, scheme):
    page = visit(name, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.query_selector(".gallery .tile")


def test_a_click_on_a_cell_shows_those_very_pictures(visit, truth):
    page, (test, said, _) = visit(), truth
    for true, taken in ((0, 1), (2, 0), (1, 2)):
        page.click(f'.matrix .cell[data-true="{true}"][data-said="{taken}"]')
        show_all(page, "#cell-panel")
        wanted = np.flatnonzero((test.labels == true) & (said == taken))
        assert sorted(indices(page, "#cell-panel")) == wanted.tolist()
        assert len(wanted)
        title = page.inner_text("#cell-panel h3")
        assert title == f"{test.class_names[true]} taken for {test.class_names[taken]}: {len(wanted)}"


def test_a_click_on_the_diagonal_shows_the_fifty_least_certain(visit, truth):
    page, (test, said, sure) = visit(), truth
    page.click('.matrix .cell[data-true="1"][data-said="1"]')
    show_all(page, "#cell-panel")
    right = np.flatnonzero((test.labels == 1) & (said == 1))
    assert indices(page, "#cell-panel") == right[np.argsort(sure[right], kind="stable")][:50].tolist()


def test_the_picture_drawn_is_the_picture_meant(visit, truth):
    page, (test, _, _) = visit(), truth
    tiles = page.query_selector_all("#gallery-mistakes .tile")[:3]
    shown = indices(page, "#gallery-mistakes")
    assert len(tiles) == 3
    for tile, index in zip(tiles, shown, strict=False):
        drawn = pixels(tile.query_selector(".frame:not(.dim)"), 16)[2:-2, 2:-2]  # corners are round
        difference = np.abs(drawn.astype(int) - test.images[index][2:-2, 2:-2])
        assert difference.max() <= 2


def test_filters_and_order_work(visit, truth):
    page, (test, said, sure) = visit(), truth
    wrong = np.flatnonzero(test.labels != said)
    assert page.inner_text("#filters-mistakes output") == f"{len(wrong)} pictures"
    page.select_option('#filters-mistakes select[name="0"]', "2")
    page.select_option('#filters-mistakes select[name="1"]', "1")
    page.select_option('#filters-mistakes select[name="order"]', "low")
    chosen = wrong[(test.labels[wrong] == 2) & (said[wrong] == 1)]
    show_all(page, "#gallery-mistakes")
    shown = indices(page, "#gallery-mistakes")
    assert sorted(shown) == chosen.tolist()
    assert len(shown) > 1
    assert (np.diff(sure[shown]) >= 0).all()
    assert page.inner_text("#filters-mistakes output") == f"{len(chosen)} pictures"
    page.select_option('#filters-mistakes select[name="1"]', "2")  # a mistake is never taken for what it is
    assert indices(page, "#gallery-mistakes") == []


def test_the_viewer_opens_by_keyboard_turns_pages_and_gives_the_focus_back(visit, truth):
    page, (test, said, _) = visit(), truth
    first = page.query_selector("#gallery-mistakes .tile")
    first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('viewer').open")
    index = indices(page, "#gallery-mistakes")[0]
    wanted = f"{test.class_names[test.labels[index]]} taken for {test.class_names[said[index]]}"
    assert page.inner_text("#viewer-title") == wanted
    assert test.sources[index] in page.inner_text(".viewer .source")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#viewer-place").startswith("2 of")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('viewer').open")
    assert first.evaluate("element => element === document.activeElement")


def test_a_tap_and_the_keyboard_tell_what_a_pointer_tells(visit):
    page = visit()
    cell = page.query_selector(".matrix .cell")
    cell.hover()
    told = page.inner_text("#tip")
    assert "taken for" in told
    page.mouse.move(0, 0)
    assert page.is_hidden("#tip")
    page.query_selector(".skip").focus()
    cell.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.inner_text("#tip") == told
    page.query_selector(".point").dispatch_event("pointerdown", {"clientX": 300, "clientY": 300})
    assert "epoch 1" in page.inner_text("#tip")


def test_names_with_html_in_them_stay_text_in_the_galleries_too(visit, truth):
    page, (test, _, _) = visit(), truth
    assert page.query_selector('img[src="x"]') is None
    text = page.inner_text("#gallery-mistakes")
    assert any(name in text for name in test.class_names)


def test_its_policy_stops_what_somebody_may_have_slipped_in(browser, files):
    asked = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"file://{files / 'report.html'}")
    page.evaluate(
        """async address => {
            const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
            add("img", {src: `${address}/image`});
            add("script", {src: `${address}/script`});
            add("script", {textContent: "window.broken = true"});
            add("iframe", {src: `${address}/frame`});
            await fetch(`${address}/fetch`).catch(() => null);
            navigator.sendBeacon(`${address}/beacon`);
        }""",
        f"http://127.0.0.1:{server.server_port}",
    )
    page.wait_for_timeout(300)
    assert not page.evaluate("window.broken === true")
    page.close()
    server.shutdown()
    server.server_close()
    assert asked == []


def test_light_and_dark_can_be_chosen_by_hand(visit):
    page = visit(scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.click("#theme")
    dark = page.evaluate(paper)
    assert dark != light
    page.click("#theme")
    assert page.evaluate(paper) == light


def test_prints_light_with_its_pictures_and_without_its_buttons(visit, tmp_path):
    page = visit(scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.is_hidden(".top")
    assert page.is_hidden(".filters")
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 20_000


def test_two_models_are_told_apart_and_their_pictures_filtered(visit, shop, truth):
    page, (test, one, _) = visit("comparison.html"), truth
    two = predict.load(shop.other).predict_proba(test.images).argmax(axis=1)
    kinds = {
        "only_first": (one == test.labels) & (two != test.labels),
        "only_second": (two == test.labels) & (one != test.labels),
    }
    for kind, chosen in kinds.items():
        page.click(f'.tabs [data-list="{kind}"]')
        show_all(page, "#gallery-differences")
        assert sorted(indices(page, "#gallery-differences")) == np.flatnonzero(chosen).tolist()
    page.select_option('#filters-differences select[name="1"]', "0")  # A says the first class
    show_all(page, "#gallery-differences")
    assert sorted(indices(page, "#gallery-differences")) == np.flatnonzero(kinds["only_second"] & (one == 0)).tolist()


def test_its_files_are_where_they_were_put(files):
    assert {path.name for path in Path(files).iterdir()} == {"report.html", "comparison.html"}


def test_a_picture_in_several_pairs_opens_where_it_was_clicked(visit, files, made):
    images, labels = pictures(60, seed=3)
    images[[6, 9]] = images[3]  # three of a kind
    made(images, labels, NAMES).write(files / "copies.html")
    page = visit("copies.html")
    tiles = page.locator("#gallery-within .tile")
    assert tiles.count() >= 2
    for i in range(tiles.count()):
        tiles.nth(i).click()
        assert page.locator("#viewer-place").inner_text().startswith(f"{2 * i + 1} of ")
        page.keyboard.press("Escape")
