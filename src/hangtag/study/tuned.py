"""What came out of a study: the recipe, the trials, what mattered, and one sentence."""

from __future__ import annotations

import csv
import io
import json
import math
import shlex
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hangtag.core.files import write_file
from hangtag.core.printable import as_text, harmless, one_line, printable
from hangtag.core.recipe import Recipe, to_dict
from hangtag.study import trials as judging
from hangtag.study.space import applied, plain, written
from hangtag.study.trials import Trial
from hangtag.study.tune import Study

_ENOUGH = 4  # complete trials, from which on it is asked what mattered


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """A study's results.

    Args:
        study: the study.
        recipe: the best trial's, to be trained as it is; None if no trial was completed.
        front: trials that no other beats in one of accuracy and seconds without losing in the other, fastest first.
        importance: of each key that all trials have: share of the spread of accuracy it accounts for, summing to 1;
            empty where too few trials tell.
        sentence: what was gained, or that nothing was.
    """

    study: Study
    recipe: Recipe | None
    front: list[Trial]
    importance: dict[str, float]
    sentence: str

    @property
    def gained(self) -> bool:
        """Whether anything was."""
        start, best = self.study.start, self.study.best
        if start is None or best is None or start.number == best.number:
            return False
        return self.study.objective == "accuracy-time" or judging.accuracy(best) > judging.accuracy(start)

    @property
    def recipe_file(self) -> Path:
        """What `hangtag train` takes."""
        return self.study.out / "recipe.json"

    @property
    def command(self) -> str:
        """What trains the recipe."""
        place = f" --data {shlex.quote(self.study.data)}" if self.study.data else ""
        return printable(f"hangtag train {shlex.quote(str(self.recipe_file))}{place}")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        study = self.study
        return {
            "out": as_text(study.out),
            "study": study.name,
            "storage": study.storage,
            "objective": study.objective,
            "sampler": study.sampler,
            "space": study.space.to_dict(),
            "trials": [trial.to_dict() for trial in study.trials],
            "start": _reached(study.start),
            "best": _reached(study.best),
            "front": [_reached(trial) for trial in self.front],
            "importance": self.importance,
            "validation": study.validation,
            "combinations": study.combinations,
            "all_tried": study.all_tried,
            "recipe": None if self.recipe is None else as_text(self.recipe_file),
            "sentence": self.sentence,
        }

    def write(self) -> None:
        """Put `recipe.json`, `trials.csv`, `tune.json` and `tune.html` into the study's folder.

        Raises:
            HangtagError: `storage_*`; `extra_missing` without what draws the page.
        """
        from hangtag.study.tuned_page import html

        out = self.study.out
        if self.recipe is not None:
            write_file(self.recipe_file, json.dumps(to_dict(self.recipe), indent=1).encode())
        write_file(out / "trials.csv", self._csv().encode())
        write_file(out / "tune.json", json.dumps(self.to_dict(), indent=1, allow_nan=False).encode())
        write_file(out / "tune.html", html(self).encode())

    def _csv(self) -> str:
        keys = list(self.study.space.dimensions)
        stream = io.StringIO()
        rows = csv.writer(stream, lineterminator="\r\n")
        rows.writerow(["trial", "state", "val_accuracy", "seconds", *keys, "error"])
        for trial in self.study.trials:
            settings = ["" if key not in trial.settings else written(trial.settings[key]) for key in keys]
            numbers = ["" if value is None else str(value) for value in (trial.val_accuracy, trial.seconds)]
            rows.writerow([str(trial.number), trial.state, *numbers, *map(_cell, settings), _cell(trial.error or "")])
        return stream.getvalue()


def _cell(text: str) -> str:
    return harmless(one_line(text))


def results(study: Study) -> Tuned:
    """What `study` found."""
    recipe = None
    if study.best is not None:
        found = study.space.recipe if study.best is study.start else applied(study.space.recipe, study.best.settings)
        recipe = replace(found, name=f"{found.name}_tuned")
    return Tuned(
        study=study,
        recipe=recipe,
        front=judging.front(study.trials),
        importance=_importance(study),
        sentence=_sentence(study),
    )


def _sentence(study: Study) -> str:
    start, best = study.start, study.best
    if best is None:
        return "no trial was trained to its end"
    at = f"{judging.accuracy(best):.2%} in {_seconds(best)} (trial {best.number})"
    if start is None:
        return f"the best so far: {at}; the start itself has not been trained to its end"
    began = f"{judging.accuracy(start):.2%} in {_seconds(start)}"
    saved = 1 - judging.seconds(best) / max(judging.seconds(start), 1e-9)
    if study.objective == "accuracy-time":
        if best.number == start.number:
            return f"nothing gained: no trial was faster than the start and no less accurate (the start: {began})"
        return (
            f"training time −{saved:.1%} at accuracy no lower than the start "
            f"({judging.accuracy(best):.2%} against {judging.accuracy(start):.2%}; "
            f"{_seconds(best)} against {_seconds(start)}; trial {best.number})"
        )
    gained = judging.accuracy(best) - judging.accuracy(start)
    if gained <= 0:
        return f"nothing gained: no trial was more accurate than the start ({began})"
    error = judging.margin(judging.accuracy(start), study.validation)
    chance = "" if gained > error else f"; less than {100 * error:.2f} points may be chance"
    change = (
        f"training time {'−' if saved > 0 else '+'}{abs(saved):.1%}"
        if abs(saved) >= 0.0005
        else "the same training time"
    )
    return (
        f"accuracy +{100 * gained:.2f} points ({judging.accuracy(best):.2%} against {judging.accuracy(start):.2%}"
        f"{chance}) at {change} "
        f"({_seconds(best)} against {_seconds(start)}; trial {best.number})"
    )


def _importance(study: Study) -> dict[str, float]:
    """Shares of the variance of accuracy, by fANOVA.

    Source: Hutter, Hoos and Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance".
    """
    import optuna

    done = [
        trial
        for trial in study.optuna.get_trials(deepcopy=False)
        if trial.state == optuna.trial.TrialState.COMPLETE
        and trial.params.keys() == trial.user_attrs["settings"].keys()  # a start outside the space tells nothing
    ]
    common = set.intersection(*(set(trial.params) for trial in done)) if len(done) >= _ENOUGH else set()
    spread = {key for key in common if len({trial.params[key] for trial in done}) > 1}
    if len(spread) < 2 or len({trial.values[0] for trial in done}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = optuna.importance.get_param_importances(
            study.optuna,
            evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0),
            params=sorted(spread),
            target=lambda trial: trial.values[0],
        )
    return {key: float(share) for key, share in shares.items() if math.isfinite(share)}


def _reached(trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    return {
        "number": trial.number,
        "params": {key: plain(value) for key, value in trial.settings.items()},
        "val_accuracy": trial.val_accuracy,
        "seconds": trial.seconds,
    }


def _seconds(trial: Trial) -> str:
    value = judging.seconds(trial)
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"
