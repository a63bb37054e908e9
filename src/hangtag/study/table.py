"""A comparison as rows of text: the columns every form of the table has, CSV, and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hangtag.core.printable import harmless, one_line, printable
from hangtag.study.compare import Comparison, Row, Spread
from hangtag.watch import clock

NOTHING = "–"
FIT, LETTERS = "fit", "not told apart"  # columns of words


@dataclass(frozen=True)
class Column:
    """One column: its heading, its unit, what stands in it, and what it is about."""

    heading: str
    unit: str
    shown: Callable[[Row], str]
    part: Literal["scores", "training", "answers"]


def columns(comparison: Comparison) -> list[Column]:
    """The columns: scores, then what training took, then what an answer takes."""
    validation = Column("validation", "%", lambda row: _spread(row.spread("val_accuracy"), 100, 2), "scores")
    return [
        Column("accuracy", "%", lambda row: _spread(row.spread("accuracy"), 100, 2), "scores"),
        Column("loss", "nats", lambda row: _spread(row.spread("loss"), 1, 3), "scores"),
        Column("macro F1", "%", lambda row: _spread(row.spread("f1"), 100, 2), "scores"),
        *([validation] if comparison.split == "test" else []),
        Column(LETTERS, "", lambda row: comparison.letters.get(row.name, NOTHING), "scores"),
        Column("training", "%", lambda row: _spread(row.spread("train_accuracy"), 100, 1, sd=False), "training"),
        Column(FIT, "", lambda row: (row.first("fit") or {}).get("verdict", NOTHING), "training"),
        Column("n", "", lambda row: str(len(row.runs)), "training"),
        Column("epochs", "", lambda row: _number(row.first("epochs"), "{:,}"), "training"),
        Column("time", "", _seconds, "training"),
        Column("peak", "MB", lambda row: _spread(row.spread("peak_rss_mb"), 1, 0, sd=False), "training"),
        Column("parameters", "", lambda row: _number(row.first("params"), "{:,}"), "answers"),
        Column("file", "MB", lambda row: _number(row.first("file_mb"), "{:.1f}"), "answers"),
        Column("one picture", "ms, median", lambda row: _number(row.latency.get("p50_ms"), "{:.2f}"), "answers"),
        Column("slowest 1%", "ms", lambda row: _number(row.latency.get("p99_ms"), "{:.2f}"), "answers"),
        Column("many", "pictures/s", lambda row: _number(row.latency.get("images_per_s"), "{:,.0f}"), "answers"),
    ]


def to_csv(comparison: Comparison) -> bytes:
    """RFC 4180 in UTF-8, a row for each contestant, numbers as they are; no cell is a formula to a spreadsheet."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    spreads = ("accuracy", "loss", "f1", "val_accuracy", "train_accuracy", "seconds", "peak_rss_mb")
    plain = ("epochs", "params", "file_mb")
    timed = ("p50_ms", "p99_ms", "images_per_s")
    both = [f"{key}_{part}" for key in spreads for part in ("mean", "sd")]
    facts = ("fit", "letters", "over_budget", "failed")
    writer.writerow(["recipe", "split", "n", "seeds", *both, *plain, *timed, *facts])
    for row in comparison.rows:
        cells: list[object] = [
            row.name,
            comparison.split,
            len(row.runs),
            " ".join(str(seed) for seed in row.seeds if seed is not None),
        ]
        for key in spreads:
            found = row.spread(key)
            cells += ["", ""] if found is None else [found.mean, "" if found.sd is None else found.sd]
        cells += [row.first(key) for key in plain]
        cells += [row.latency.get(key) for key in timed]
        failed = "; ".join(f"seed {one['seed']}: {one['error']['message']}" for one in row.failed)
        fit = (row.first("fit") or {}).get("verdict", "")
        cells += [fit, comparison.letters.get(row.name, ""), "yes" if row.over_budget else "", failed]
        writer.writerow([harmless(one_line(cell)) if isinstance(cell, str) else _plain(cell) for cell in cells])
    return stream.getvalue().encode()


def to_markdown(comparison: Comparison, sentences: tuple[str, ...], how: str) -> str:
    """A table for a README, what it says in sentences, and how it was measured."""
    shown = columns(comparison)
    heads = ["recipe", *(f"{column.heading} {column.unit}".strip() for column in shown)]
    lines = [
        f"| {' | '.join(heads)} |",
        f"| --- |{' --: |' * len(shown)}",
        *(
            f"| {' | '.join([_code(row.name), *(_cell(column.shown(row)) for column in shown)])} |"
            for row in comparison.standing
        ),
    ]
    failed = [f"- {_code(row.name)} {_cell(line)}" for row in comparison.rows for line in failures(row)]
    said = [f"- {_cell(sentence)}" for sentence in sentences]
    return "\n".join([*lines, "", *said, *failed, "", f"<sub>{_cell(how)}</sub>", ""])


def failures(row: Row) -> list[str]:
    """A line for each run of a row that did not come through."""
    return [f"seed {one['seed']} failed: {one['error']['message']}" for one in row.failed]


def _spread(found: Spread | None, factor: float, digits: int, *, sd: bool = True) -> str:
    if found is None:
        return NOTHING
    text = f"{factor * found.mean:,.{digits}f}"
    return f"{text} ± {factor * found.sd:,.{digits}f}" if sd and found.sd is not None else text


def _seconds(row: Row) -> str:
    found = row.spread("seconds")
    if found is None:
        return NOTHING
    return clock(found.mean) + (", over" if row.over_budget else "")


def _number(value: float | None, form: str) -> str:
    return NOTHING if value is None else form.format(value)


def _plain(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _cell(text: str) -> str:
    """Text that ends no cell and starts no markup."""
    shown = printable(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace("`", "'")
    return shown.replace("|", "\\|").replace("[", "\\[").replace("*", "\\*")


def _code(name: str) -> str:
    """A name as code, in which nothing but a bar and a backtick means anything."""
    shown = printable(name).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")
    return f"`{shown}`"
