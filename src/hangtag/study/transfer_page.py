"""A transfer study as one HTML page, and what it comes to in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hangtag.core.files import write_file
from hangtag.evaluation.evaluation import wilson_interval
from hangtag.report.figures.labels_chart import Line, labels_chart
from hangtag.report.page import page
from hangtag.report.sections.confusion import matrix
from hangtag.study.transfer import KINDS, SAID, Stage, Transfer
from hangtag.watch import clock

PAGE = "transfer.html"
_TEMPLATE = Path(__file__).with_name("transfer.html")


def write(found: Transfer) -> None:
    """Put the page into the study's folder, whole or not at all.

    Raises:
        HangtagError: `storage_*`.
    """
    write_file(found.folder / PAGE, to_html(found).encode())


def to_html(found: Transfer) -> str:
    """The page. Names are escaped."""
    shown = [stage for stage in found.stages if not stage.failed]
    headline = found.stage("frozen")
    title = f"Transfer on {found.data}"
    context: dict[str, Any] = {
        "title": title,
        "found": found,
        "start": "/".join(Path(found.start).parts[-2:]) if found.start else None,
        "said": SAID,
        "kinds": KINDS,
        "sentences": sentences(found),
        "headline": None if headline is None or headline.failed else headline.numbers,
        "matrices": [
            {
                "name": SAID[stage.name],
                "classes": stage.numbers["class_names"],
                "accuracy": stage.numbers["test_accuracy"],
                "n": stage.numbers["n"],
                "rows": matrix(np.array(stage.numbers["confusion"], dtype=np.int64)),
            }
            for stage in shown
        ],
        "drawing": _drawing(found),
        "few": sorted({stage.few for stage in found.few if stage.few}),
        "few_of": {(stage.name, stage.few): stage for stage in found.few},
        "clock": clock,
    }
    return page(_TEMPLATE, context)


def sentences(found: Transfer) -> list[str]:
    """What the numbers come to, in plain words."""
    frozen, tuned, scratch = (found.stage(kind) for kind in KINDS)
    said = []
    if frozen and scratch and not frozen.failed and not scratch.failed:
        gap = frozen.numbers["test_accuracy"] - scratch.numbers["test_accuracy"]
        n = frozen.numbers["n"]
        ahead = "above" if gap > 0 else "below"
        which = "never saw these classes" if found.learnt else "learnt from other pictures"
        said.append(
            f"Convolutions that {which} label {frozen.numbers['test_accuracy']:.2%} of {n:,} test "
            f"pictures right, {abs(100 * gap):.2f} points {ahead} a network trained on them from scratch."
        )
    if tuned and scratch and not tuned.failed and not scratch.failed:
        said.append(_against(tuned, scratch))
    smallest = min((stage.few for stage in found.few if stage.few and not stage.failed), default=None)
    at = {stage.name: stage for stage in found.few if stage.few == smallest and not stage.failed}
    if smallest is not None and "scratch" in at and len(at) > 1:
        best = max((at[kind] for kind in ("frozen", "fine_tuned") if kind in at), key=_test_accuracy)
        ours, theirs = _test_accuracy(best), _test_accuracy(at["scratch"])
        low, high = best.numbers["test_interval"]
        worth = "no more than chance may bring" if low <= theirs <= high else f"{100 * (ours - theirs):+.1f} points"
        said.append(
            f"With {smallest:,} labels of each class: {SAID[best.name]} {ours:.2%}, from scratch {theirs:.2%}; "
            f"transfer is worth {worth}."
        )
    return said


def _test_accuracy(stage: Stage) -> float:
    accuracy: float = stage.numbers["test_accuracy"]
    return accuracy


def _against(tuned: Stage, scratch: Stage) -> str:
    one, two = tuned.numbers, scratch.numbers
    low, high = one["test_interval"]
    if low <= two["test_accuracy"] <= high:
        return (
            f"Fine-tuning all layers gives {one['test_accuracy']:.2%} and training from scratch "
            f"{two['test_accuracy']:.2%}: these test pictures do not tell the two apart."
        )
    better = "better" if one["test_accuracy"] > two["test_accuracy"] else "worse"
    return (
        f"Fine-tuning all layers gives {one['test_accuracy']:.2%}, {better} than the {two['test_accuracy']:.2%} of "
        f"training from scratch."
    )


def _drawing(found: Transfer) -> Any:
    """Test accuracy against labels of each class; None where the study was not repeated with few."""
    stages = [stage for stage in found.few if not stage.failed]
    if not stages:
        return None
    return labels_chart("test accuracy", [_line(kind, stages) for kind in KINDS])


def _line(kind: str, stages: Sequence[Stage]) -> Line:
    points = []
    for stage in stages:
        if stage.name == kind and stage.few:
            accuracy, n = stage.numbers["test_accuracy"], stage.numbers["n"]
            points.append((stage.few, accuracy, wilson_interval(round(accuracy * n), n)))
    return Line(SAID[kind], points, {"frozen": "first", "fine_tuned": "second", "scratch": "faint"}[kind])
