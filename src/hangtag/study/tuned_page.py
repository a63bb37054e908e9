"""A study as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hangtag.core.optional import require
from hangtag.study import trials as judging
from hangtag.study.space import shown
from hangtag.study.trials import Trial

if TYPE_CHECKING:
    from markupsafe import Markup

    from hangtag.study.tuned import Tuned


def html(tuned: Tuned) -> str:
    """The page: what was gained, how it was found, what mattered, every trial.

    Raises:
        HangtagError: `extra_missing`.
    """
    require("jinja2", extra="tune")
    from hangtag.report.page import page

    study = tuned.study
    done = judging.complete(study.trials)
    kept = {trial.number for trial in tuned.front}
    counts = {state: sum(trial.state == state for trial in study.trials) for state in ("complete", "pruned", "failed")}
    rows = sorted(study.trials, key=lambda t: (t.state != "complete", -(t.val_accuracy or 0), t.seconds or 0))
    context = {
        "title": f"{study.space.recipe.name} tuned",
        "tuned": tuned,
        "study": study,
        "command": tuned.command,
        "history": _history(study.trials, study.start, study.best) if done else None,
        "front": _front(done, tuned.front, study.start, study.best) if done else None,
        "importance": _importance(tuned.importance) if tuned.importance else None,
        "unranked": sorted(study.space.dimensions.keys() - tuned.importance.keys()),
        "rows": [(trial, {key: shown(value) for key, value in trial.settings.items()}) for trial in rows],
        "on_front": kept,
        "counts": counts,
        "margin": 100 * judging.margin(study.best.val_accuracy or 0.5 if study.best else 0.5, study.validation),
        "space": study.space.to_dict(),
        "own": {key: shown(value) for key, value in study.space.start().items()},
        "found": {} if study.best is None else {key: shown(v) for key, v in study.best.settings.items()},
    }
    return page(Path(__file__).parent / "tuned.html", context)


def _history(trials: list[Trial], start: Trial | None, best: Trial | None) -> Markup:
    """Accuracy over the trials' numbers, and the best so far as a staircase."""
    from hangtag.report.figures.scatter import Axis, Point, scatter

    drawn = [trial for trial in trials if trial.val_accuracy is not None and trial.state in ("complete", "pruned")]
    record, records = -1.0, []
    for i, trial in enumerate(drawn):
        if trial.state == "complete" and judging.accuracy(trial) > record:
            record = judging.accuracy(trial)
            records.append(i)
    points = [
        Point(
            _name(trial, start, best), trial.number, trial.val_accuracy or 0.0, _told(trial), style=_style(trial, best)
        )
        for trial in drawn
    ]
    return scatter(
        "Trials in their order, and the most accurate so far",
        points,
        Axis(
            "trial",
            lambda number: f"{number:.0f}",
            marks=range(0, trials[-1].number + 1, max(1, trials[-1].number // 8)),
        ),
        Axis("validation accuracy", _percent),
        front=records,
    )


def _front(done: list[Trial], front: list[Trial], start: Trial | None, best: Trial | None) -> Markup:
    from hangtag.report.figures.scatter import Axis, Point, scatter, seconds_axis

    points = [
        Point(
            _name(t, start, best), max(judging.seconds(t), 1e-3), judging.accuracy(t), _told(t), style=_style(t, best)
        )
        for t in done
    ]
    spent = [judging.seconds(trial) for trial in done]
    wide = max(spent) > 5 * max(min(spent), 1e-3)
    title = "training time"
    return scatter(
        "Accuracy against training time, and the front no trial lies beyond",
        points,
        seconds_axis(title) if wide else Axis(title, lambda value: f"{value:.3g} s"),
        Axis("validation accuracy", _percent),
        front=[done.index(trial) for trial in front],
    )


def _importance(shares: dict[str, float]) -> Markup:
    from hangtag.report.figures.bars import bars

    return bars("Share of the spread of accuracy that each setting accounts for", shares, lambda share: f"{share:.0%}")


def _name(trial: Trial, start: Trial | None, best: Trial | None) -> str:
    if best is not None and trial.number == best.number:
        return f"best: {trial.number}" if start is None or start.number != best.number else "start and best"
    return "start" if start is not None and trial.number == start.number else ""


def _style(trial: Trial, best: Trial | None) -> str:
    if best is not None and trial.number == best.number:
        return "second"
    return "first" if trial.state == "complete" else "faint"


def _told(trial: Trial) -> str:
    settings = ", ".join(f"{key}={shown(value)}" for key, value in trial.settings.items())
    reached = "" if trial.val_accuracy is None else f"{trial.val_accuracy:.2%}"
    spent = f" in {trial.seconds:.1f} s" if trial.seconds is not None else " when pruned"
    return f"trial {trial.number}: {reached}{spent}; {settings}"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}%"
