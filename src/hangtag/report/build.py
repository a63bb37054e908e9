"""From a bundle to one HTML file: measure, choose pictures, lay out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import write_file
from hangtag.core.optional import require
from hangtag.core.printable import as_text
from hangtag.evaluation.evaluation import Progress
from hangtag.evaluation.paired import Paired, paired
from hangtag.predict.bundle import open_bundle
from hangtag.report.album import SPLITS, TEST, Album
from hangtag.report.judged import Judged, Unlearnt, measure
from hangtag.report.page import page, signed
from hangtag.report.pictures import heat_sheet
from hangtag.report.saliency import Maps, explain
from hangtag.report.sections.confusion import confusion
from hangtag.report.sections.curves import curves
from hangtag.report.sections.glance import glance
from hangtag.report.sections.model_card import model_card
from hangtag.report.sections.numbers import costs, scores
from hangtag.report.sections.quality import quality
from hangtag.report.sections.trust import trust
from hangtag.report.sections.verdict import verdict

MOST_BYTES = 4_900_000  # of the file
SURE = 0.05  # p below which two models count as different
RIGHT_PER_CLASS = 50  # right predictions shown of each class, the least certain first
_HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Report:
    """A finished report.

    Args:
        html: the whole file.
        record: findings and numbers in plain JSON types.
        sentences: the verdict.
        word: the verdict in a word or two.
    """

    html: str
    record: dict[str, Any]
    sentences: tuple[str, ...]
    word: str

    def write(self, path: Path) -> None:
        """Put the file at `path`, whole or not at all.

        Raises:
            HangtagError: `storage_*`.
        """
        write_file(path, self.html.encode())


def report_on(
    name: str | Path,
    data: str | None = None,
    progress: Progress | None = None,
    unlearnt: Unlearnt | None = None,
) -> Report:
    """A report on one model.

    Args:
        name: a bundle's name, its folder, or the folder of a run.
        data: what `data.find` takes; the data the model was trained on if not given.
        progress: told (what, done, in all).
        unlearnt: judges the labels of the training pictures; see `measure`.

    Raises:
        HangtagError: what finding the model or its pictures, and judging, raise; `extra_missing`.
    """
    _require_extras()
    judged = measure(name, data, progress, unlearnt=unlearnt)
    album = Album(judged)
    wrong, right = _mistakes(judged), _right(judged)
    mistakes = album.add_all(TEST, wrong)
    shown = glance(judged, album)
    assert judged.audit is not None
    found = quality(judged.audit, album)
    certain = album.add_all(TEST, right)
    maps = explain(judged, wrong[: len(mistakes)], progress)
    album.heat(mistakes[: len(maps.values)])
    said = verdict(judged)
    html = _page(
        "report.html",
        album,
        maps,
        {"mistakes": mistakes, "right": certain, "examples": shown.examples, **found.lists},
        {
            "judged": judged,
            "verdict": said,
            "scores": scores(judged),
            "costs": costs(judged),
            "curves": curves(judged.card),
            "confusion": confusion(judged),
            "trust": trust(judged),
            "quality": found,
            "glance": shown,
            "card": model_card(judged),
            "mistakes": int((judged.predicted != judged.test.labels).sum()),
            "title": f"{_titled(judged.card.name, judged.card)} on {judged.dataset.name}",
        },
    )
    record = {
        "verdict": {"severity": said.severity, "word": said.word, "sentences": list(said.sentences)},
        **_record(judged),
    }
    return Report(html, record, said.sentences, said.word)


def report_on_two(
    first: str | Path, second: str | Path, data: str | None = None, progress: Progress | None = None
) -> Report:
    """A report on two models side by side, judged on the same pictures; arguments as for `report_on`.

    Raises:
        HangtagError: as `report_on`; `bundle_incompatible` if the two do not know the same classes or pictures.
    """
    _require_extras()
    for name in (first, second):
        open_bundle(name)  # a wrong second name is told before the first model has judged ten thousand pictures
    models = [measure(name, data, progress, audited=False) for name in (first, second)]
    one, two = models
    if one.evaluation.class_names != two.evaluation.class_names:
        raise HangtagError("bundle_incompatible", f"{first} and {second} do not know the same classes")
    if not np.array_equal(one.test.labels, two.test.labels) or one.test.sources != two.test.sources:
        raise HangtagError(
            "bundle_incompatible", f"{first} and {second} were judged on different pictures: give both one --data"
        )
    album = Album(one, two)
    pair = paired(one.probabilities, two.probabilities, one.test.labels)
    lists = {kind: album.add_all(TEST, indices) for kind, indices in _differing(one, two).items()}
    names = _names(one, two, first, second)
    sentences = _comparison_sentences(pair, names)
    per_class = [
        {**a, "other": b["f1"], "difference": b["f1"] - a["f1"]}
        for a, b in zip(one.evaluation.per_class, two.evaluation.per_class, strict=True)
    ]
    html = _page(
        "comparison.html",
        album,
        Maps(np.zeros((0, 1, 1), np.float32), ""),
        lists,
        {
            "models": models,
            "names": names,
            "pair": pair,
            "sentences": sentences,
            "scores": list(zip(scores(one), scores(two), strict=True)),
            "costs": _side_by_side(one, two),
            "curves": [curves(model.card) for model in models],
            "trust": [trust(model) for model in models],
            "per_class": sorted(per_class, key=lambda row: row["difference"]),
            "counts": {kind: len(numbers) for kind, numbers in lists.items()},
            "judged": one,
            "title": f"{' and '.join(map(_titled, names, (one.card, two.card)))} on {one.dataset.name}",
        },
    )
    record = {
        "verdict": {"sentences": list(sentences)},
        "comparison": {
            "both_right": pair.both_right,
            "only_first": pair.only_first,
            "only_second": pair.only_second,
            "both_wrong": pair.both_wrong,
            "difference": pair.difference,
            "interval": list(pair.interval),
            "p_value": pair.p_value,
        },
        "models": [_record(model) for model in models],
    }
    return Report(html, record, sentences, "")


def _require_extras() -> None:
    """What a report needs is looked for now, not after a minute of judging."""
    for package in ("jinja2", "scipy.optimize", "cleanlab.filter"):
        require(package, extra="report")


def _mistakes(judged: Judged) -> np.ndarray:
    """Wrongly labelled test pictures, the most confident first."""
    wrong = np.flatnonzero(judged.predicted != judged.test.labels)
    return wrong[np.argsort(-judged.confidence[wrong], kind="stable")]


def _right(judged: Judged) -> np.ndarray:
    """Of each class the rightly labelled test pictures it was least certain of."""
    order = np.argsort(judged.confidence, kind="stable")
    order = order[judged.predicted[order] == judged.test.labels[order]]
    labels = judged.test.labels[order]
    chosen = [order[labels == label][:RIGHT_PER_CLASS] for label in range(len(judged.test.class_names))]
    return np.concatenate(chosen)


def _differing(one: Judged, two: Judged) -> dict[str, np.ndarray]:
    """Pictures the two models label differently, those first on which they are surest together."""
    labels = one.test.labels
    first, second = one.predicted == labels, two.predicted == labels
    order = np.argsort(-(one.confidence + two.confidence), kind="stable")
    kinds = {
        "only_first": first & ~second,
        "only_second": second & ~first,
        "both_wrong": ~first & ~second & (one.predicted != two.predicted),
    }
    return {kind: order[chosen[order]] for kind, chosen in kinds.items()}


def _names(one: Judged, two: Judged, first: str | Path, second: str | Path) -> tuple[str, str]:
    """What to call two models: their cards' names, or how they were asked for if those are the same."""
    if one.card.name != two.card.name:
        return one.card.name, two.card.name
    return as_text(str(first)), as_text(str(second))


def _comparison_sentences(pair: Paired, names: tuple[str, str]) -> tuple[str, str, str]:
    better, worse, sign = (names[1], names[0], 1) if pair.difference > 0 else (names[0], names[1], -1)
    points = f"{abs(100 * pair.difference):.2f} points of accuracy"
    low, high = sorted(100 * sign * bound for bound in pair.interval)
    if pair.p_value < SURE:
        verdict = f"{better} is better than {worse}, by {points} on these {pair.n:,} pictures."
    elif pair.difference == 0:
        verdict = f"These {pair.n:,} pictures do not tell the two apart: both get equally many right."
    else:
        verdict = (
            f"These {pair.n:,} pictures do not tell the two apart: {better} is {points} ahead, which may be chance."
        )
    certainty = (
        f"On other such pictures {better} would most likely be ahead by {signed(low)} to {signed(high)} points; two "
        f"equally good models would differ this much with a probability {_of(pair.p_value)} (McNemar’s exact test)."
    )
    where = (
        f"{names[0]} alone is right on {pair.only_first:,} pictures, {names[1]} alone on {pair.only_second:,}, and "
        f"both are wrong on {pair.both_wrong:,}."
    )
    return verdict, certainty, where


def _side_by_side(one: Judged, two: Judged) -> list[tuple[str, str, str]]:
    first, second = ({fact.name: fact.value for fact in costs(model)} for model in (one, two))
    return [(name, first.get(name, "–"), second.get(name, "–")) for name in {**first, **second}]


def _record(judged: Judged) -> dict[str, Any]:
    """Findings and numbers of one model in plain JSON types."""
    return {
        "bundle": as_text(judged.bundle.folder),
        **judged.card.standing(),
        "findings": [finding.to_dict() for finding in judged.findings],
        "numbers": {
            **judged.evaluation.to_dict(),
            "training": {key: value for key, value in judged.card.training.items() if key != "history"},
            "params": judged.card.params or None,
            "bytes": sum(map(len, judged.bundle.files.values())),
            "latency_ms": judged.latency_ms,
            "pictures_per_s": judged.throughput,
        },
        "calibration": judged.calibration.to_dict(),
        "audit": None if judged.audit is None else judged.audit.to_dict(),
    }


def _page(template: str, album: Album, maps: Maps, lists: Mapping[str, Any], context: dict[str, Any]) -> str:
    """The finished HTML, whose pictures are as good as the room left over allows."""
    first = album.models[0]
    heat = heat_sheet(maps.values)
    data = {
        "classes": list(first.test.class_names),
        "splits": list(SPLITS),
        "pictures": album.records,
        "lists": dict(lists),
        "names": list(context.get("names", ())),
    }
    context = {**context, "maps": maps, "album": album}
    rest = page(_HERE / template, context, data=data, heat=heat)
    sheet = album.sheet.encode(max(200_000, MOST_BYTES - len(rest.encode())))
    return page(_HERE / template, context, data=data, sheet=sheet, heat=heat)


def _of(p: float) -> str:
    return f"of {p:.2g}" if p >= 0.0001 else "below 1 in 10,000"


def _titled(name: str, card: Card) -> str:
    """What to call a model in the title of its page."""
    return f"{name} (unfinished)" if card.unfinished else name
