import csv
import dataclasses
import io

from hangtag.study.table import columns, failures, to_csv, to_markdown


def cells(found, name: str) -> dict[str, str]:
    row = next(row for row in found.rows if row.name == name)
    return {column.heading: column.shown(row) for column in columns(found)}


def test_spread_is_shown_where_there_are_seeds(made):
    assert cells(made(a=(0.9,)), "a")["accuracy"] == "90.00"
    assert cells(made(a=(0.9, 0.92)), "a")["accuracy"] == "91.00 ± 1.41"


def test_what_is_not_known_is_a_dash_and_not_a_zero(made):
    theirs = made.row("theirs.onnx", (0.9,), seconds=None, peak_rss_mb=None, params=None, epochs=None)
    shown = cells(made(rows=(theirs,)), "theirs.onnx")
    assert [shown[key] for key in ("time", "peak", "parameters", "epochs")] == ["–"] * 4


def test_over_the_budget_is_marked(made):
    row = dataclasses.replace(made.row("knn", (0.9,)), over_budget=True)
    assert cells(made(rows=(row,)), "knn")["time"] == "20 s, over"


def test_csv_holds_numbers_and_no_formula(made):
    evil = dataclasses.replace(
        made.row("=1+1", ()), failed=({"seed": 0, "error": {"code": "training_failed", "message": "@x, \n y"}},)
    )
    found = made(rows=(evil,), a=(0.9, 0.92))
    rows = list(csv.DictReader(io.StringIO(to_csv(found).decode(), newline="")))
    assert float(rows[0]["accuracy_mean"]) == 0.91
    assert rows[0]["seeds"] == "0 1"
    assert rows[1]["recipe"] == "'=1+1"
    assert rows[1]["accuracy_mean"] == ""
    assert rows[1]["failed"] == r"seed 0: @x, \n y"


def test_markdown_is_not_broken_by_a_name(made):
    found = made(rows=(made.row("a|b`<i>", (0.9,)),))
    text = to_markdown(found, ("<b> is better",), "seed 0")
    header, _, row = text.splitlines()[:3]
    assert row.replace("\\|", "").count("|") == header.count("|")
    assert "<i>" not in text
    assert "<b>" not in text


def test_each_failure_is_a_line(made):
    row = dataclasses.replace(
        made.row("a", (0.9,)), failed=({"seed": 3, "error": {"code": "x", "message": "out of memory"}},)
    )
    assert failures(row) == ["seed 3 failed: out of memory"]
