"""The page in a real browser: what a shop colleague drops, sees and saves."""

import base64
import csv
import hashlib
import http.client
import importlib.resources
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hangtag.serve import app, guard

EXPECTED = ("status of 4", "ERR_FAILED")  # what the browser itself says of refused and lost requests


@pytest.fixture
def visit(browser, port):
    """visit(**options of the browser) -> the open page; fails at the end if anything went wrong or out to others."""
    faults, contexts = [], []

    def visit(home=f"http://127.0.0.1:{port}", path="", **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(300_000)
        page = contexts[-1].new_page()
        page.on("console", lambda line: any(word in line.text for word in EXPECTED) or faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith((home, "blob:")) or faults.append(request.url))
        page.goto(home + path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not faults


def finished(page, cards):
    page.locator(".card").nth(cards - 1).wait_for()
    while page.locator(".waiting").count():
        page.wait_for_timeout(50)


def test_pictures_chosen_are_named_counted_and_saved(visit, pictures, recogniser, tmp_path):
    images, files = pictures
    names = [f"{i}.png" for i in range(5)] + ['=HYPERLINK("x").png']
    for name, content in zip(names, files[:6], strict=True):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "note.txt").write_text("hello")
    page = visit()
    page.set_input_files("#choose", [tmp_path / name for name in [*names, "note.txt"]])
    finished(page, 7)
    assert page.locator("#count").inner_text() == "6 of 7 recognised · 1 could not be"
    expected = [answer.label for answer in recogniser.recognise(images[:6])]
    labels = [text.rstrip("?") for text in page.locator(".label").all_inner_texts()]
    assert labels[:6] == expected
    assert "JPEG, PNG, WebP or AVIF" in labels[6]
    with page.expect_download() as download:
        page.click("#save")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["picture", "label", "confidence", "error", "status", "why"]
    assert [row[1] for row in rows[1:7]] == expected
    assert rows[6][0] == '\'=HYPERLINK("x").png'
    page.click("#clear")
    assert page.locator(".card").count() == 0
    assert page.locator("#status").is_hidden()


def test_an_unsure_answer_asks_to_look_and_says_why(visit, pictures, recogniser, tmp_path):
    found = recogniser.recognise(pictures[0])
    chosen = [next(i for i, one in enumerate(found) if one.status == status) for status in ("accept", "unsure")]
    for place, i in enumerate(chosen):
        (tmp_path / f"{place}.png").write_bytes(pictures[1][i])
    page = visit()
    page.set_input_files("#choose", [tmp_path / "0.png", tmp_path / "1.png"])
    finished(page, 2)
    sure, unsure = page.locator(".why").all_inner_texts()
    assert sure == f"Accepted. {found[chosen[0]].why}"
    assert unsure == f"Unsure: please look. {found[chosen[1]].why}"
    assert [text.endswith("?") for text in page.locator(".label").all_inner_texts()] == [False, True]


def test_a_file_name_is_text_and_never_a_command(visit, pictures, tmp_path):
    for name in ("<img src=x onerror=alert(1)>.png", "<script>alert(1)<", "{{7*7}}.png"):
        (tmp_path / name.replace("/", "")).write_bytes(pictures[1][0])
    page = visit()
    page.set_input_files("#choose", sorted(tmp_path.iterdir()))
    finished(page, 3)
    assert page.locator(".name").all_inner_texts() == sorted(path.name for path in tmp_path.iterdir())


def test_dropped_pictures_are_recognised(visit, pictures):
    page = visit()
    transfer = page.evaluate_handle(
        """(bytes) => { const all = new DataTransfer();
        all.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"})); return all; }""",
        list(pictures[1][0]),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    finished(page, 1)
    assert page.locator(".name").inner_text() == "dropped.png"


def test_a_phone_is_offered_its_camera_and_needs_no_sideways_scrolling(visit, pictures, tmp_path):
    (tmp_path / f"{'long' * 30}.png").write_bytes(pictures[1][0])
    page = visit(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    assert page.locator(".camera").is_visible()
    page.set_input_files("#camera", list(tmp_path.iterdir()))
    finished(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.slow
def test_a_moment_without_a_network_costs_nothing_and_a_server_that_has_gone_is_told(visit, pictures, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(pictures[1][0])
    page, lost = visit(), []
    page.locator("#about").get_by_text("kinds").wait_for()
    page.route("**/recognise", lambda route: (lost.append(1), route.abort() if len(lost) < 3 else route.continue_()))
    page.set_input_files("#choose", tmp_path / "a.png")
    finished(page, 1)
    assert page.locator("#count").inner_text() == "1 of 1 recognised"
    page.clock.install()
    page.unroute("**/recognise")
    page.route("**/recognise", lambda route: route.abort())
    page.set_input_files("#choose", [tmp_path / "b.png", tmp_path / "c.png"])
    while page.locator(".waiting").count():
        page.clock.run_for(1000)
    assert page.locator(".failed .label").all_inner_texts() == ["the server does not answer: is it still running?"] * 2


def test_a_picture_the_server_would_not_take_is_not_sent(visit, tmp_path):
    (tmp_path / "huge.jpg").write_bytes(b"\xff\xd8\xff" + bytes(app.MAX_BYTES))
    page, asked = visit(), []
    page.route("**/recognise", lambda route: asked.append(route))
    page.set_input_files("#choose", tmp_path / "huge.jpg")
    finished(page, 1)
    assert page.locator(".failed .label").inner_text() == "larger than 20 MB, the most accepted"
    assert asked == []


def test_clear_stops_what_still_waits(visit, pictures, tmp_path):
    for number in range(12):
        (tmp_path / f"{number:02d}.png").write_bytes(pictures[1][0])
    page, asked = visit(), []
    page.route("**/recognise", lambda route: asked.append(route))  # nobody answers
    page.set_input_files("#choose", sorted(tmp_path.iterdir()))
    page.locator(".card").nth(11).wait_for()
    page.click("#clear")
    assert page.evaluate("document.activeElement.id") == "choose"
    page.unroute("**/recognise")
    page.set_input_files("#choose", tmp_path / "00.png")
    finished(page, 1)
    page.wait_for_timeout(200)
    assert len(asked) == 3
    assert page.locator("#count").inner_text() == "1 of 1 recognised"


@pytest.fixture
def proxied(port):
    """The address of a reverse proxy that shows the server at /tags/ and, as some do, at /tags; elsewhere is a 404."""

    class Proxy(BaseHTTPRequestHandler):
        def forward(self):
            path = re.sub(r"^/tags(/|(?=\?)|$)", "/", self.path)
            if path == self.path:
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            onward = http.client.HTTPConnection("127.0.0.1", port)
            onward.request(self.command, path, body, dict(self.headers))
            response = onward.getresponse()
            content = response.read()
            onward.close()
            self.send_response(response.status)
            for name, value in response.headers.items():
                if name not in ("date", "connection"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = forward  # noqa: N815

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()


@pytest.mark.parametrize("path", ["/tags/", "/tags", "/tags?a=b", "/tags/?a=b#c"])
def test_the_page_works_behind_a_prefix(visit, proxied, pictures, tmp_path, path):
    (tmp_path / "a.png").write_bytes(pictures[1][0])
    page = visit(proxied, path)
    page.locator("#about").get_by_text("kinds").wait_for()
    page.set_input_files("#choose", tmp_path / "a.png")
    finished(page, 1)
    assert page.locator("#count").inner_text() == "1 of 1 recognised"
    assert page.locator("#drop").evaluate("element => getComputedStyle(element).borderTopStyle") == "dashed"
    assert page.evaluate("document.querySelector('header img').naturalWidth") > 0
    assert page.evaluate("location.pathname") == "/tags/"


def test_the_one_line_of_script_in_the_page_is_the_one_the_policy_names():
    page = (importlib.resources.files("hangtag.serve") / "page" / "index.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in guard.HEADERS["content-security-policy"]


def test_no_address_of_the_page_begins_at_the_root():
    folder = importlib.resources.files("hangtag.serve") / "page"
    for name in ("index.html", "page.js", "page.css"):
        text = (folder / name).read_text()
        assert not re.search(r"""(?:href=|src=|action=|fetch\(|url\(|import )["'`]?/""", text), name
