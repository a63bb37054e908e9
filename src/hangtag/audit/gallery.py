"""The worst findings as pages one can act on: each image with its whole name, a link to its file, and a box to tick.

What is ticked is a list, which the page saves as CSV. A page is complete in itself, works from the disk, and its policy
lets it reach for nothing. It needs no template engine: the bare installation audits too.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from hangtag.audit.audit import Audit
from hangtag.core.errors import HangtagError
from hangtag.core.printable import harmless, one_line, printable
from hangtag.preprocess import decoder
from hangtag.preprocess.photo import read_file

MOST = 120  # cards of a page: 240 photos of 7 kB
THUMBNAIL = 224  # pixels a side, shown at 160 or more
COLUMNS = ("path", "label", "reason", "split", "score", "suggested", "partner")
_HERE = Path(__file__).parent

_WHY = {
    "blank": "one shade and nothing else",
    "almost blank": "hardly more than one shade",
    "inverted": "its edge is far brighter or darker than that of most",
    "saturated": "more than half of it is pure white",
    "outlier": "unlike the others of its class",
    "tiny": "far fewer pixels than most",
    "dark": "nothing in it is bright",
    "blurred": "nothing in it is sharp",
}


@dataclass(frozen=True)
class Card:
    """One finding.

    Args:
        images: (split, index) of the images it is about, one or two.
        reason: in a few words, e.g. "cropped".
        explained: the same for a reader.
        score: lower is worse.
        suggested: the class the label should perhaps be, or empty.
    """

    images: Sequence[tuple[str, int]]
    reason: str
    explained: str
    score: float
    suggested: str = ""

    @property
    def leak(self) -> bool:
        """Whether it is about two images of different splits."""
        return len({split for split, _ in self.images}) > 1


@dataclass(frozen=True)
class Page:
    """A page for each kind of finding: its file's name without the ending, and its heading."""

    name: str
    title: str
    cards: Callable[[Audit], list[Card]]


def label_error_cards(audit: Audit) -> list[Card]:
    """Given and suggested label of each, the surest first."""
    worst = sorted(
        (error.score, split, error.index, error.suggested)
        for split, found in audit.label_errors.items()
        for error in found
    )
    return [
        Card(
            [(split, index)],
            "label error",
            f"chance of its label: {score:.2%}",
            score,
            audit.splits[split].class_names[to],
        )
        for score, split, index, to in worst
    ]


def near_duplicate_cards(audit: Audit) -> list[Card]:
    """Both images of each pair: those across splits first, then the closest."""
    found = [
        (first == second, pair.distance, first, second, pair)
        for (first, second), pairs in audit.near_duplicates.items()
        for pair in pairs
    ]
    return [
        Card([(first, pair.first), (second, pair.second)], pair.relation, f"distance {distance:.3f}", distance)
        for _, distance, first, second, pair in sorted(found, key=lambda item: item[:4])
    ]


def odd_picture_cards(audit: Audit) -> list[Card]:
    """Why each is odd, the oddest first."""
    oddest = sorted(
        (odd.score, split, odd.index, odd.reason) for split, found in audit.odd_pictures.items() for odd in found
    )
    return [Card([(split, index)], reason, _WHY[reason], score) for score, split, index, reason in oddest]


PAGES = (
    Page("label-errors", "Labels that are likely wrong", label_error_cards),
    Page("near-duplicates", "Near-duplicates", near_duplicate_cards),
    Page("odd-pictures", "Odd images", odd_picture_cards),
)


def galleries(
    audit: Audit, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> Iterator[tuple[str, str]]:
    """(file name, HTML) of each kind of which something was found.

    Args:
        audit: what was found.
        progress: told (what, done, in all) thumbnails of a page.
    """
    found = [(page, cards) for page in PAGES if (cards := page.cards(audit))]
    for page, cards in found:
        others = [(other.name, other.title, len(theirs)) for other, theirs in found]
        yield f"{page.name}.html", gallery(audit, page, cards, others, progress)


def gallery(
    audit: Audit,
    page: Page,
    cards: Sequence[Card],
    pages: Sequence[tuple[str, str, int]],
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> str:
    """One page, complete in itself.

    Args:
        audit: what was found.
        page: which kind.
        cards: all of that kind; the first MOST are shown.
        pages: name, title and count of every page, this one among them.
        progress: told (what, done, in all) thumbnails.
    """
    shown = cards[:MOST]
    looks = _thumbnails(audit, list(dict.fromkeys(image for card in shown for image in card.images)), progress)
    style, script = (_read("gallery.css"), _read("gallery.js"))
    facts = f"{len(cards):,} found" + (
        f", the worst {len(shown)} shown; audit.csv has all" if len(cards) > MOST else ""
    )
    pairs = any(len(card.images) > 1 for card in shown)
    digest = hashlib.sha256(f"{audit.name}\0{page.name}\0{audit.to_csv()}".encode("utf-8", "backslashreplace"))
    links = "".join(
        f'<li><a href="{name}.html"{" aria-current=page" if name == page.name else ""}>{title}: {count:,}</a></li>'
        for name, title, count in pages
    )
    html = Template(_read("gallery.html")).substitute(
        title=f"{page.title}: {_text(audit.name)}",
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        digest=digest.hexdigest()[:16],
        columns=_text(json.dumps(COLUMNS)),
        file=f"{page.name}-list.csv",
        facts=facts,
        nav=f'<nav aria-label="Findings"><ul>{links}</ul></nav>\n' if len(pages) > 1 else "",
        kind=" pairs" if pairs else "",
        cards="".join(_card(audit, card, looks) for card in shown),
    )
    return html.encode("utf-8", "backslashreplace").decode()


def _card(audit: Audit, card: Card, looks: dict[tuple[str, int], tuple[str, bool]]) -> str:
    labels = {audit.label(*image) for image in card.images}
    marks = ["leak: in both splits"] * card.leak + ["labels differ"] * (len(labels) > 1)
    why = f"<b>{_text(card.reason)}</b>" + "".join(f'<span class="mark">{mark}</span>' for mark in marks)
    why += f"<span>suggested: <b>{_text(card.suggested)}</b></span>" if card.suggested else ""
    why += f'<span class="explained">{_text(card.explained)}</span>'
    images = "".join(_image(audit, card, place, looks) for place in range(len(card.images)))
    return f'<li class="card"><p class="why">{why}</p><div class="images">{images}</div></li>\n'


def _image(audit: Audit, card: Card, place: int, looks: dict[tuple[str, int], tuple[str, bool]]) -> str:
    split, index = card.images[place]
    name, label, file = printable(audit.place(split, index)), audit.label(split, index), audit.file(split, index)
    uri, small = looks[split, index]
    partners = [other for other in card.images if other != (split, index)]
    partner = _path(audit, *partners[0]) if partners else ""
    row = [_path(audit, split, index), label, card.reason, split, f"{card.score:.6f}", card.suggested, partner]
    box = "-".join(str(word) for image in ((split, index), *partners) for word in image)
    look = (
        f'<img alt="" src="{uri}"{" class=small" if small else ""}>'
        if uri
        else '<span class="missing">the file cannot be read</span>'
    )
    if file is None:
        link = f'<span class="name">{_text(name)}</span>'
    else:
        address = escape(file.absolute().as_uri(), quote=True)  # percent-encoded already
        link = f'<a class="name" href="{address}" target="_blank" rel="noopener">{_text(name)}</a>'
    return (
        f'<figure><label class="look" for="{box}">{look}</label>'
        f'<figcaption><span class="label">{_text(label)} <span class="split">{_text(split)}</span></span>'
        f'{link}</figcaption><label class="tick"><input type="checkbox" id="{box}" autocomplete="off" '
        f'data-image="{split}-{index}" data-row="{_text(json.dumps([harmless(one_line(each)) for each in row]))}" '
        f'aria-label="Put {_text(name)} on the list">put on the list</label></figure>'
    )


def _path(audit: Audit, split: str, index: int) -> str:
    """Of the file, or the image's number where it has none."""
    file = audit.file(split, index)
    return str(file.absolute()) if file is not None else audit.place(split, index)


def _thumbnails(
    audit: Audit, images: list[tuple[str, int]], progress: Callable[[str, int, int], None]
) -> dict[tuple[str, int], tuple[str, bool]]:
    """Of each image a data URI, empty if its file cannot be read, and whether its pixels are to stay sharp."""

    def look(image: tuple[str, int]) -> tuple[str, bool]:
        split, index = image
        file, pixels = audit.file(split, index), audit.splits[split].images[index]
        if pixels.size > 1:  # the pixels that were looked at
            return _uri(Image.fromarray(pixels), "PNG"), True
        try:
            assert file is not None
            return _uri(Image.fromarray(decoder.shared().convert(read_file(file), THUMBNAIL, True)), "WEBP"), False
        except HangtagError:
            return "", False

    found = {}
    pool = ThreadPoolExecutor(decoder.shared().workers)
    try:
        for done, (image, uri) in enumerate(zip(images, pool.map(look, images), strict=True), 1):
            found[image] = uri
            progress("drawing galleries", done, len(images))
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def _uri(image: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    image.save(file, kind, quality=75)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _text(text: str) -> str:
    """As text or a quoted attribute of HTML, with nothing invisible in it."""
    return escape(printable(text), quote=True)


def _hash(content: str) -> str:
    """What a content security policy calls the one script or style it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8").strip()
