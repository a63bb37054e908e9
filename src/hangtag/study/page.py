"""A comparison as files: a page to read, the figure, and the table as CSV, Markdown and JSON."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hangtag.core.files import write_file
from hangtag.core.hardware import cores, cpu_name
from hangtag.report.figures.scatter import Axis, Point, scatter, seconds_axis
from hangtag.report.figures.svg import standalone
from hangtag.report.page import page
from hangtag.study.compare import Comparison, Row
from hangtag.study.sentences import of_pair, on_choosing, sentences
from hangtag.study.significance import Pair
from hangtag.study.table import FIT, LETTERS, columns, failures, to_csv, to_markdown
from hangtag.watch import clock

if TYPE_CHECKING:
    from markupsafe import Markup

FIGURE = "accuracy_against_time.svg"


def write(comparison: Comparison) -> None:
    """Put `compare.html`, `.csv`, `.md`, `.json` and the figure into the study's folder, each whole or not at all.

    Raises:
        HangtagError: `storage_*`; `extra_missing` without Jinja.
    """
    folder, said, how = comparison.folder, sentences(comparison), measured_on(comparison)
    drawing = accuracy_against_time(comparison)
    write_file(folder / "compare.csv", to_csv(comparison))
    write_file(folder / "compare.md", to_markdown(comparison, said, how).encode())
    write_file(folder / "compare.json", json.dumps(comparison.to_dict(), indent=1, allow_nan=False).encode())
    if drawing:
        write_file(folder / FIGURE, standalone(drawing).encode())
    write_file(folder / "compare.html", to_html(comparison, drawing, said, how).encode())


def accuracy_against_time(comparison: Comparison) -> Markup | None:
    """A dot for each row that was trained; None if none was."""
    points = []
    for row in comparison.standing:
        seconds, accuracy = row.spread("seconds"), row.spread("accuracy")
        if seconds is None or accuracy is None or not min(seconds.values) > 0:
            continue
        points.append(
            Point(
                row.name,
                seconds.mean,
                accuracy.mean,
                told=f"{accuracy.mean:.2%} after {clock(seconds.mean)}",
                x_bar=(min(seconds.values), max(seconds.values)) if seconds.sd is not None else None,
                y_bar=(accuracy.mean - accuracy.sd, accuracy.mean + accuracy.sd) if accuracy.sd is not None else None,
                size=row.first("params"),
            )
        )
    if not points:
        return None
    kind = "test" if comparison.split == "test" else "validation"
    spread = max(p.y for p in points) - min(p.y for p in points)
    return scatter(
        "Accuracy against training time",
        points,
        seconds_axis("training time"),
        Axis(f"accuracy on {kind} pictures", ("{:.1%}" if spread < 0.05 else "{:.0%}").format),
        size_title="parameters",
    )


def measured_on(comparison: Comparison) -> str:
    """Seeds, machine, versions: what a number needs beside it to mean anything."""
    n = len(comparison.seeds)
    seeds = f"mean ± standard deviation over {n} seeds" if n > 1 else f"seed {comparison.seeds[0]}"
    known = {name: _version(name) for name in ("hangtag", "torch", "scikit-learn", "onnxruntime")}
    versions = ", ".join(f"{name} {version}" for name, version in known.items() if version)
    budget = f"; {clock(comparison.budget_s)} of training for each network" if comparison.budget_s else ""
    machine = f"{cores()} core{'s' if cores() > 1 else ''} of {cpu_name()}, {platform.system()}"
    return (
        f"{seeds}{budget}; each run alone in a process of its own, from its start to the trained weights; answers as "
        f"served, all models timed in turn; {machine}; {versions}"
    )


def to_html(comparison: Comparison, drawing: Markup | None, said: tuple[str, ...], how: str) -> str:
    """One file, complete in itself."""
    rows = comparison.standing
    classes = list(rows[0].per_class)
    known = {frozenset((pair.first, pair.second)): pair for pair in comparison.pairs}
    return page(
        Path(__file__).with_name("compare.html"),
        {
            "title": " and ".join(row.name for row in rows) if len(rows) < 3 else f"{len(rows)} models",
            "comparison": comparison,
            "kind": "test" if comparison.split == "test" else "validation",
            "best": rows[0],
            "rows": rows,
            "headings": columns(comparison),
            "words": (FIT, LETTERS),
            "sentences": said,
            "choosing": on_choosing(comparison),
            "how": how[0].upper() + how[1:],
            "drawing": drawing,
            "matrix": [
                [_cell(known.get(frozenset((row.name, column.name))), row, column) for column in rows] for row in rows
            ],
            "classes": [
                {
                    "label": label,
                    "cells": _shaded([row.per_class[label] for row in rows]),
                }
                for label in classes
            ],
            "fits": [(row, fit) for row in rows if (fit := row.first("fit"))],
            "failures": [(row.name, line) for row in comparison.rows for line in failures(row)],
            "remarks": [(row.name, row.first("remark")) for row in rows if row.first("remark")],
        },
    )


def _cell(pair: Pair | None, row: Row, column: Row) -> dict[str, Any]:
    """What a row has over a column, in points."""
    if pair is None:
        return {"text": "", "kind": "self", "told": row.name}
    points = 100 * (pair.difference if pair.first == row.name else -pair.difference)
    kind = ("better" if points > 0 else "worse") if pair.real else "unsure" if pair.only_these_weights else "same"
    return {"text": f"{points:+.1f}".replace("-", "−"), "kind": kind, "told": of_pair(pair)}


def _shaded(values: list[float]) -> list[dict[str, Any]]:
    """Values of one class with shades from 1, the worst, to 5, the best, where they differ by a point or more."""
    low, high = min(values), max(values)
    spread = max(high - low, 0.01)
    return [{"value": value, "shade": 1 + round(4 * (value - low) / spread)} for value in values]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
