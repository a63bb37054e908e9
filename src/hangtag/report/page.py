"""One HTML file from a template: style, script and data inside it, and a policy that lets it reach for nothing else."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from hangtag.checks import Unit
from hangtag.core.printable import printable
from hangtag.report.pictures import Encoded

_HERE = Path(__file__).parent
_NO_SHEET = Encoded("", 1, 1, 1)
_NO_PICTURES: Mapping[str, Any] = {"classes": [], "splits": [], "pictures": [], "lists": {}, "names": []}


def page(
    template: Path,
    context: Mapping[str, Any],
    *,
    data: Mapping[str, Any] = _NO_PICTURES,
    sheet: Encoded = _NO_SHEET,
    heat: Encoded = _NO_SHEET,
) -> str:
    """The finished HTML.

    Args:
        template: a Jinja file that extends `layout.html`; what is not Markup is escaped.
        context: what it shows; `title` among it.
        data: what the script reads, see `page.js`; by default there are no pictures.
        sheet, heat: all pictures, and all saliency maps, each as one.
    """
    import jinja2
    from markupsafe import Markup, escape

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, _HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = escape  # of text that is ours and has lines
    environment.filters["percent"] = lambda share, digits=1: "–" if share is None else f"{share:.{digits}%}"
    environment.filters["thousands"] = lambda number: "–" if number is None else f"{number:,}"
    environment.filters["measured"] = measured
    environment.filters["signed"] = signed
    environment.filters["probability"] = probability
    style, script = f"{_read('page.css')}\n{_read('figures/figure.css')}", _read("page.js")
    tiles = _sheet_rules("pic", sheet) + _sheet_rules("heat", heat)
    html = environment.get_template(template.name).render(
        style=Markup(style),
        tiles=Markup(tiles),
        script=Markup(script),
        hashes={"style": f"{_hash(style)} {_hash(tiles)}", "script": _hash(script)},
        data=Markup(in_script(_shown(data))),
        sheet=sheet,
        heat=heat,
        version=metadata.version("hangtag"),
        today=datetime.datetime.now(datetime.UTC).date().isoformat(),
        **context,
    )
    return html.encode("utf-8", "backslashreplace").decode()  # a folder's name need not be Unicode


def _shown(value: Any) -> Any:
    """Names with what is invisible, or turns the text round, as escapes; all else as it is, finished markup too."""
    if type(value) is str:
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _shown(inner) for key, inner in value.items()}
    return [_shown(inner) for inner in value] if isinstance(value, list | tuple) else value


def measured(number: float, unit: Unit) -> str:
    """A finding's number with its unit: 0.05 as "5.0 points", "5.0%"."""
    if unit == "points":
        return f"{100 * number:.1f} points"
    if unit == "share":
        return f"{number:.2%}" if 0 < number < 0.01 else f"{number:.1%}"
    return f"{number:,.1f} times"


def signed(number: float, digits: int = 2) -> str:
    """With a sign, and a minus as wide as a plus."""
    return f"{number:+.{digits}f}".replace("-", "−")


def probability(p: float) -> str:
    """Two figures, down to where more would say nothing."""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"


def in_script(data: Mapping[str, Any]) -> str:
    """JSON that may stand inside `<script>`: no name in it can end the element or open a comment."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("utf-8", "backslashreplace").decode()


def _sheet_rules(name: str, sheet: Encoded) -> str:
    return (
        f".{name}{{background-image:url({sheet.uri});background-size:{100 * sheet.columns}% {100 * sheet.rows}%}}"
        if sheet.uri
        else ""
    )


def _hash(content: str) -> str:
    """What a content security policy calls the one script or style it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8").strip()
