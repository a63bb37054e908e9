"""Names of classes, files and models come from anybody: whatever is in them, no writer lets it command a reader.

A terminal obeys control characters, a spreadsheet formulas, a page markup; bidirectional characters show a name other
than it is. Row E4 to E6 of the faults, for every writer that takes names.
"""

import csv
import dataclasses
import html
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from rich.console import Console

from hangtag import watch
from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.printable import harmless, one_line, printable
from hangtag.core.types import Split
from hangtag.evaluation import Evaluation
from hangtag.predict.recogniser import Recognition, Recognitions

HOSTILE = (
    "\x1b[2J\x1b[31mred", "bell\x07", "two\nlines", "back\rover", "tab\tstop", "nul\x00", "\x9b31m", "del\x7f",
    "\u202egnp.exe", "\u2066isolated\u2069", "\u200fmark", "zero\u200bwidth", "line\u2028end", "para\u2029end",
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "\uff1d1+1",
    "half\ud800", "byte\udce9", "[bold red]markup[/]", "[/]", "<script>alert(1)</script>", "<img src=x onerror=x()>",
    "\"quoted\", 'twice'", "a|b", "`code`", "[x](javascript:x)", "{{ 7 * 7 }}", "&lt;b&gt;", "]]>", "</script>",
)  # fmt: skip
SENSIBLE = ("T-shirt/top", "-5°", "Zoë 靴", "🥾", "5 - 7", "a=b", "نیم‌بوت", "👩‍👩‍👧", "100%")
NAMES = HOSTILE + SENSIBLE
SCORES = {"accuracy": 0.9, "loss": 0.3, "precision": 0.9, "recall": 0.9, "f1": 0.9, "ece": 0.02}


def commands(text: str) -> list[str]:
    """Characters that a terminal obeys, or that show what is not there; a line's end and the joiners left out."""
    return [
        char
        for char in text
        if (unicodedata.category(char)[0] == "C" or char in "\u2028\u2029") and char not in "\n\u200c\u200d"
    ]


def evaluation() -> Evaluation:
    confusion = np.full((len(NAMES), len(NAMES)), 1, np.int64)
    return Evaluation(NAMES, confusion, SCORES, "evil\x1b\n[bold]<b>", "da\u202eta<i>[/]")


def recognitions() -> Recognitions:
    found = [Recognition(f"x/{name}", name, 0.9, ((name, 0.9), (NAMES[0], 0.1))) for name in NAMES]
    return Recognitions([*found, Recognition("bad\x1b", None, 0.0, error=HangtagError("image_empty", "it\x1b is"))])


def split() -> Split:
    labels = np.arange(len(NAMES), dtype=np.int64)
    return Split(np.zeros((len(NAMES), 28, 28), np.uint8), labels, NAMES, sources=NAMES)


def screen(thing: object, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_is_one_line_and_no_formula_and_a_program_can_tell_the_name(name):
    cell = harmless(one_line(name))
    assert "\n" not in cell
    assert not commands(cell)
    assert cell[:1] not in ("=", "+", "-", "@", "\uff1d")
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerow([cell, "next"])
    assert next(csv.reader(io.StringIO(file.getvalue(), newline=""))) == [cell, "next"]
    file.getvalue().encode()


def test_sensible_names_come_back_from_a_cell_as_they_are():
    assert {harmless(one_line(name)).removeprefix("'") for name in SENSIBLE} == set(SENSIBLE)
    assert [harmless(number) for number in ("-0.5", "+3", "-1e-5")] == ["-0.5", "+3", "-1e-5"]


def test_an_evaluation_on_screen(monkeypatch):
    for text in (screen(evaluation()), str(evaluation())):
        assert not commands(text)
        assert "[bold red]markup[/]"[:12] in text


def test_an_evaluation_in_a_notebook():
    page = evaluation()._repr_html_()
    assert not commands(page)
    assert "<script" not in page
    assert "<img" not in page
    assert html.escape("<img src=x onerror=x()>") in page


def test_an_evaluation_as_json_keeps_every_name():
    text = json.dumps(evaluation().to_dict(), allow_nan=False)
    assert text.isascii()
    assert tuple(json.loads(text)["class_names"]) == NAMES


def test_recognitions_in_a_terminal_and_a_notebook():
    for item in recognitions():
        assert not commands(str(item))
        assert "\n" not in str(item)
    page = recognitions()._repr_html_()
    assert not commands(page)
    assert "<script" not in page


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_recognise(form, capsysbinary):
    from hangtag.cli import recognise

    found = recognitions()
    if form == "csv":
        recognise._print_csv(iter(found), 2)
    elif form == "json":
        recognise._print_json(iter(found), {})
    else:
        recognise._print_table(iter(found), [item.path for item in found], NAMES)
    text = capsysbinary.readouterr().out.decode()
    assert not commands(text.replace("\r\n", "\n"))
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["label"] for row in rows[:-1]] == [harmless(one_line(name)) for name in NAMES]
    elif form == "json":
        assert [row["label"] for row in json.loads(text)[:-1]] == list(NAMES)
    else:
        assert len(text.splitlines()) == 2 + len(found)


def test_a_card_gives_every_name_back(tmp_path):
    cards.write(Card(name=NAMES[0], class_names=NAMES, size=1, colour=False), tmp_path)
    assert cards.read(tmp_path).class_names == NAMES


def test_a_contact_sheet_and_the_counts_of_a_set(capsys):
    from hangtag.cli.data import _print_counts
    from hangtag.data.contact_sheet import contact_sheet

    contact_sheet(split(), "evil\x1b\nname\ud800")
    _print_counts(Console(width=120, color_system=None), {"Training": split()})
    assert not commands(capsys.readouterr().out)


def test_lines_of_progress(capsys):
    told = watch.lines()
    for name in NAMES:
        told.message(name)
    assert not commands(capsys.readouterr().err)


def test_an_error_is_one_line(capsys):
    from hangtag import cli

    for name in NAMES:
        assert cli._fail(HangtagError("usage_class", f"no class is called {name}"), False) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(NAMES)
    assert not commands("".join(lines))


def test_every_page_made_of_a_template(tmp_path):
    pytest.importorskip("jinja2")
    from hangtag.report.page import page

    (tmp_path / "page.html").write_text(
        "{% extends 'layout.html' %}{% import 'macros.html' as m %}{% block main %}{% for name in names %}"
        "<p title='{{ name }}'>{{ name }}</p>{{ m.stat({'name': name, 'value': name, 'meaning': name}) }}"
        "{% endfor %}{% endblock %}"
    )
    context = {"names": NAMES, "title": " ".join(NAMES)}
    text = page(tmp_path / "page.html", context, data={"classes": list(NAMES), "pictures": [["x", list(NAMES)]]})
    assert not commands(text)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    shown = re.findall(r"<p title='(.*?)'>(.*?)</p>", text)
    assert [html.unescape(inner) for _, inner in shown] == [printable(name) for name in NAMES]
    data = json.loads(re.search(r'<script type="application/json".*?>(.*?)</script>', text, re.DOTALL)[1])
    assert data["classes"] == [printable(name) for name in NAMES]


def test_a_figure_is_valid_xml_with_every_name_in_it():
    pytest.importorskip("markupsafe")
    from hangtag.report.figures.svg import figure, standalone, text

    drawing = standalone(figure(10, 10, "\x1b".join(NAMES), *(text(0, 0, name) for name in NAMES)))
    assert not commands(drawing)
    found = [element.text for element in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
    assert found == [printable(name) for name in NAMES]


def test_a_comparison_as_csv_markdown_json_page_and_figure(tmp_path):
    pytest.importorskip("scipy")
    pytest.importorskip("jinja2")
    from hangtag.study.compare import Comparison, Row
    from hangtag.study.page import write
    from hangtag.study.significance import Contender, pairs

    def row(name: str, accuracy: float) -> Row:
        fit = {"code": "HT000", "verdict": "good fit", "sentence": f"{name} knows."}
        run = {"accuracy": accuracy, "loss": 0.3, "f1": 0.9, "seconds": 9.0, "fit": fit, "remark": name}
        run |= {"per_class": dict.fromkeys(NAMES, 0.9)}
        error = {"seed": 1, "error": {"code": "training_failed", "message": name}}
        return Row(name=name, seeds=(0,), runs=(run,), failed=(error,), latency={}, trained=True, over_budget=False)

    rows = tuple(row(name, 0.9 - i / 1000) for i, name in enumerate(NAMES))
    answers = np.tile(np.float32([1, 0]), (100, 1))
    held = pairs([Contender(name, answers, {0: 0.9}) for name in NAMES], np.zeros(100, np.int64))
    found = Comparison(
        folder=tmp_path, data=NAMES[0], split="test", pictures=100, seeds=(0, 1), budget_s=None, rows=rows,
        pairs=tuple(held), letters=dict.fromkeys(NAMES, "a"),
    )  # fmt: skip
    write(found)
    texts = {path.suffix: path.read_bytes().decode() for path in tmp_path.iterdir()}
    assert texts.keys() == {".csv", ".md", ".json", ".html", ".svg"}
    for text in texts.values():
        assert not commands(text.replace("\r\n", "\n"))
    cells = [row["recipe"] for row in csv.DictReader(io.StringIO(texts[".csv"], newline=""))]
    assert cells == [harmless(one_line(name)) for name in NAMES]
    assert [row["recipe"] for row in json.loads(texts[".json"])["rows"]] == list(NAMES)
    table = [line for line in texts[".md"].splitlines() if line.startswith("| ")]
    assert len(table) == 2 + len(NAMES)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1  # as many cells in every line
    assert "<script>alert" not in texts[".html"] + texts[".md"] + texts[".svg"]
    ElementTree.fromstring(texts[".svg"])


def test_an_audit_as_csv():
    from hangtag.audit import examine

    images = np.zeros((len(NAMES), 28, 28), np.uint8)  # blank: each is a finding
    given = dataclasses.replace(split(), images=images)
    text = examine("evil\x1b", {"training": given}, {}).to_csv()
    assert not commands(text.replace("\r\n", "\n"))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["label"] for row in rows} <= {harmless(one_line(name)) for name in NAMES}
    assert rows


def test_the_server_says_who_it_is_in_valid_json():
    pytest.importorskip("starlette")
    from starlette.responses import JSONResponse

    from hangtag.serve import app

    class Recogniser:
        card = Card(name="half\ud800", class_names=NAMES, size=28, colour=False)
        class_names = NAMES

    about = app._Service(Recogniser()).about  # type: ignore[arg-type]
    said = json.loads(JSONResponse(about).body)
    assert len(said["class_names"]) == len(set(said["class_names"])) == len(NAMES)
