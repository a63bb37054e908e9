"""`compare`: recipes trained alike, models judged on the same pictures, and which differences are real.

Every run is a process of its own, one after another, so that its time and memory are its own. What is finished is
kept: the same call with the same folder goes on. A run that fails is marked, and tried again by the next such call.
"""

from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hangtag import data as datasets
from hangtag.core import recipe as recipes
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, write_file
from hangtag.core.recipe import NetworkRecipe, Recipe, fingerprint
from hangtag.core.types import Probabilities, Split
from hangtag.data.split import only, some_classes, training_and_validation
from hangtag.experiment import claim
from hangtag.study.budget import epochs_within
from hangtag.study.contestants import Contestant, data_set_of, place_of_data
from hangtag.study.process import Told, ask
from hangtag.study.significance import Contender, Pair, letters, pairs
from hangtag.watch import clock

OVER = 1.1  # times the budget: a run that took longer is marked
_ONES_OWN = ("training", "bundle", "internal", "checkpoint")  # first words of errors that concern one run alone


@dataclass(frozen=True)
class Spread:
    """A number that each seed gave anew."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return statistics.fmean(self.values)

    @property
    def sd(self) -> float | None:
        """Their standard deviation; None for one value."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """`{"mean", "sd", "values"}`."""
        return {"mean": self.mean, "sd": self.sd, "values": list(self.values)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """All that is known of a contestant. What could not be measured is None; what each seed gave is a Spread.

    Args:
        name: what it is called.
        seeds: the seeds that came through; None for a model nobody trained here.
        runs: what `judged_run` said of each, in the order of the seeds.
        failed: `{"seed", "error": {"code", "message"}}` of the others.
        latency: milliseconds and pictures per second, of the first seed's model.
        trained: whether it was trained here.
        over_budget: it took longer than the budget.
    """

    name: str
    seeds: tuple[int | None, ...]
    runs: tuple[dict[str, Any], ...]
    failed: tuple[dict[str, Any], ...]
    latency: dict[str, float]
    trained: bool
    over_budget: bool

    def spread(self, key: str) -> Spread | None:
        """A number over the seeds."""
        values = tuple(float(run[key]) for run in self.runs if run.get(key) is not None)
        return Spread(values) if values else None

    def first(self, key: str) -> Any:
        """What the first seed's run says."""
        return self.runs[0].get(key) if self.runs else None

    @property
    def accuracy(self) -> float:
        """Mean over the seeds; -1 if none came through."""
        found = self.spread("accuracy")
        return found.mean if found else -1.0

    @property
    def per_class(self) -> dict[str, float]:
        """F1 of each class, the mean over the seeds."""
        return {
            label: statistics.fmean(run["per_class"][label] for run in self.runs)
            for label in self.first("per_class") or ()
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        spreads = ("accuracy", "loss", "f1", "val_accuracy", "train_accuracy", "seconds", "peak_rss_mb")
        return {
            "recipe": self.name,
            "n": len(self.runs),
            "seeds": [seed for seed in self.seeds if seed is not None],
            **{key: found.to_dict() if (found := self.spread(key)) else None for key in spreads},
            "epochs": self.first("epochs"),
            "params": self.first("params"),
            "file_mb": self.first("file_mb"),
            "p50_ms": self.latency.get("p50_ms"),
            "p99_ms": self.latency.get("p99_ms"),
            "images_per_s": self.latency.get("images_per_s"),
            "fit": self.first("fit"),
            "per_class": self.per_class,
            "bundles": [run["bundle"] for run in self.runs if run.get("bundle")],
            "over_budget": self.over_budget,
            "remark": self.first("remark"),
            **({"unfinished": True} if self.first("unfinished") else {}),
            "failed": list(self.failed),
        }


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A finished comparison.

    Args:
        folder: where it lies.
        data: the data set's name.
        split: the pictures it was judged on.
        pictures: how many those are.
        seeds: the seeds asked for.
        budget_s: what each network had, if anything.
        rows: the most accurate first; those of which nothing came through last.
        pairs: every two rows that stand.
        letters: rows that share a letter are not told apart.
    """

    folder: Path
    data: str
    split: Literal["test", "val"]
    pictures: int
    seeds: tuple[int, ...]
    budget_s: float | None
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    letters: dict[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> tuple[Row, ...]:
        """Rows of which at least one run came through."""
        return tuple(row for row in self.rows if row.runs)

    def exceeded(self, row: Row) -> dict[str, float] | None:
        """Seconds the slowest run of a row took and how many budgets those are; None if it kept to the budget."""
        seconds = row.spread("seconds")
        if not row.over_budget or self.budget_s is None or seconds is None:
            return None
        slowest = max(seconds.values)
        return {"seconds": slowest, "times": slowest / self.budget_s}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        over = {row.name: found for row in self.rows if (found := self.exceeded(row))}
        return {
            "out": str(self.folder),
            "data": self.data,
            "split": self.split,
            "pictures": self.pictures,
            "seeds": list(self.seeds),
            "budget_s": self.budget_s,
            "budget_exceeded": [{"recipe": name, **found} for name, found in over.items()],
            "rows": [
                {**row.to_dict(), "budget_exceeded": over.get(row.name), "letters": self.letters.get(row.name)}
                for row in self.rows
            ],
            "pairs": [pair.to_dict() for pair in self.pairs],
        }


@dataclass(frozen=True)
class StudyWatch:
    """Who is told how a study goes. The default tells nobody."""

    message: Callable[[str], None] = lambda text: None
    begins: Callable[[str, int, int, float | None], None] = lambda what, number, of, left_s: None
    told: Callable[[Told], None] = lambda told: None
    ended: Callable[[str], None] = lambda line: None


@dataclass(frozen=True, eq=False)
class _Run:
    """One thing to be done: a contestant with a seed, or as it is."""

    contestant: Contestant
    seed: int | None

    @property
    def what(self) -> str:
        return self.contestant.name + ("" if self.seed is None else f", seed {self.seed}")


def compare(
    contestants: Sequence[Contestant],
    seeds: Sequence[int] = (0,),
    *,
    budget_s: float | None = None,
    data: str | None = None,
    out: Path | None = None,
    split: Literal["test", "val"] = "test",
    device: str = "auto",
    watch: StudyWatch = StudyWatch(),
) -> Comparison:
    """Train what is to be trained, judge all, and say which differ.

    Args:
        contestants: one or more, see `contestants.read`.
        seeds: for every recipe; the first is the one whose answers are held against each other.
        budget_s: wall seconds each network may train; its epochs are set by that.
        data: what `data.find` takes; the recipes' own data set if not given.
        out: the study's folder; by default one under `runs/` named after everything that decides the result.
        split: the pictures to judge on. Whoever chooses by the table should ask for "val": chosen by test pictures,
            the best looks better than it is.
        device: "auto", "cpu", "cuda" or "mps".
        watch: who is told.

    Raises:
        HangtagError: `usage_class` if not all know the same classes; what concerns every run (`usage_*`, `data_*`,
            `storage_*`, `extra_*`, `run_*`); of what concerns one alone the first, if no run at all came through.
        KeyboardInterrupt: on Ctrl-C; the same call goes on.
    """
    name = data_set_of(contestants, data)
    data = place_of_data(contestants, name) if data is None else data
    pictures, called, digest = _pictures(contestants, name, data, split, watch)
    settings = {
        "contestants": {one.name: one.identity() for one in contestants},
        "seeds": list(seeds),
        "budget_s": budget_s,
        "split": split,
        "data": {"name": called, "digest": digest},
    }
    folder = out or Path("runs") / f"compare-{fingerprint(settings)}"
    with owning(folder, "run_busy", f"another process is comparing in {folder}: wait for it, or choose another --out"):
        claim(folder, "study.json", settings, made=_made(folder))
        study = _Study(folder, name, called, data, split, device, budget_s, watch, len(pictures))
        return study.to_end(contestants, seeds, pictures)


class _Study:
    """What all runs of a study share."""

    def __init__(
        self,
        folder: Path,
        name: str,
        called: str,
        data: str | None,
        split: Literal["test", "val"],
        device: str,
        budget_s: float | None,
        watch: StudyWatch,
        n: int,
    ) -> None:
        self.folder, self.name, self.called, self.data, self.split = folder, name, called, data, split
        self.device, self.budget_s, self.watch, self.n = device, budget_s, watch, n
        self.took: dict[str, list[float]] = {}  # contestant -> wall seconds of its finished runs

    def to_end(self, contestants: Sequence[Contestant], seeds: Sequence[int], pictures: Split) -> Comparison:
        there = [_Run(one, None) for one in contestants if one.recipe is None]
        runs = there + [_Run(one, seed) for seed in seeds for one in contestants if one.recipe is not None]
        done = {run: found for run in runs if (found := self._finished(run)) is not None}
        for run, row in done.items():
            self.took.setdefault(run.contestant.name, []).append(row["wall_s"])
        failed: dict[_Run, HangtagError] = {}
        todo = [run for run in runs if run not in done]
        if given := [recipes.to_dict(one.recipe) for one in contestants if one.recipe is not None and todo]:
            self.watch.message("building every model once, to see that it can be")
            ask("judged_run:rehearse", {"given": given}, self.folder / "log.txt", self.watch.told)
        for i, run in enumerate(todo):
            self.watch.begins(run.what, len(runs) - len(todo) + i + 1, len(runs), self._left(todo[i + 1 :]))
            try:
                done[run] = self._do(run)
            except HangtagError as error:
                first = error.code.partition("_")[0]
                if run.contestant.recipe is None or (first not in _ONES_OWN and error.code != "data_count"):
                    raise  # the command line, the disk, the data: no other run would fare better
                failed[run] = error
                self.watch.ended(f"{run.what}: failed, {error.message}")
            else:
                self.watch.ended(f"{run.what}: {done[run]['accuracy']:.2%} right{_time(done[run])}")
        if not done:
            why = next(iter(failed.values()))
            raise HangtagError(why.code, f"no run came through; the first failed so: {why.message}")
        rows = [self._row(one, done, failed) for one in contestants]
        rows.sort(key=lambda row: -row.accuracy)
        times = self._latencies(rows)
        rows = [replace(row, latency=times.get(row.name) or row.latency) for row in rows]
        contenders = [
            Contender(row.name, answers, dict(zip(row.seeds, (run["accuracy"] for run in row.runs), strict=True)))
            for row in rows
            if row.runs and (answers := self._answers(row)) is not None
        ]
        held = pairs(contenders, pictures.labels)
        return Comparison(
            folder=self.folder,
            data=self.called,
            split=self.split,
            pictures=len(pictures),
            seeds=tuple(seeds),
            budget_s=self.budget_s,
            rows=tuple(rows),
            pairs=tuple(held),
            letters=letters([one.name for one in contenders], held),
        )

    def _place(self, run: _Run) -> Path:
        return self.folder / run.contestant.folder / ("as-it-is" if run.seed is None else f"seed-{run.seed}")

    def _finished(self, run: _Run) -> dict[str, Any] | None:
        """What an earlier call found, if its answers are there too."""
        place = self._place(run)
        try:
            row: dict[str, Any] = json.loads(read_regular(place / "row.json"))
        except (OSError, ValueError):
            return None
        return row if isinstance(row, dict) and _load(place / "answers.npy", self.n) is not None else None

    def _do(self, run: _Run) -> dict[str, Any]:
        began, place = time.perf_counter(), self._place(run)
        shared = {"name": self.name, "data": self.data, "split": self.split, "folder": str(place)}
        log = place / "log.txt"
        if run.seed is None:
            arguments: dict[str, Any] = {**shared, "model": str(run.contestant.model)}
            row = ask("judged_run:open_and_judge", arguments, log, self.watch.told)
        else:
            assert run.contestant.recipe is not None
            recipe = replace(self._within_budget(run.contestant.recipe, run.contestant), seed=run.seed)
            arguments = {**shared, "recipe": recipes.to_dict(recipe), "device": self.device}
            row = ask("judged_run:train", arguments, log, self.watch.told)
        row["wall_s"] = round(time.perf_counter() - began, 2)
        self.took.setdefault(run.contestant.name, []).append(row["wall_s"])
        write_file(place / "row.json", json.dumps(row, indent=1).encode())
        return dict(row)

    def _within_budget(self, recipe: Recipe, contestant: Contestant) -> Recipe:
        """The recipe, with as many epochs as the budget allows; how long one takes is measured once and kept."""
        if self.budget_s is None or not isinstance(recipe, NetworkRecipe):
            return recipe
        path = self.folder / contestant.folder / "probe.json"
        try:
            probed = json.loads(read_regular(path))
        except (OSError, ValueError):
            self.watch.message(f"{contestant.name}: timing some steps")
            arguments = {"recipe": recipes.to_dict(recipe), "name": self.name, "data": self.data, "device": self.device}
            probed = ask("budget:probe", arguments, path.with_name("log.txt"), self.watch.told)
            write_file(path, json.dumps(probed, indent=1).encode())
        epochs = epochs_within(self.budget_s, probed)
        self.watch.message(f"{contestant.name}: {epochs} epochs of {probed['epoch_s']:.1f} s in {clock(self.budget_s)}")
        return replace(recipe, epochs=epochs)

    def _left(self, todo: Sequence[_Run]) -> float | None:
        """About how long the runs after the present one take; None while too little is known."""
        known = [seconds for times in self.took.values() for seconds in times]
        if not known or not todo:
            return None
        usual = statistics.fmean(known)
        return sum(statistics.fmean(self.took.get(run.contestant.name, [usual])) for run in todo)

    def _row(self, contestant: Contestant, done: dict[_Run, dict[str, Any]], failed: dict[_Run, HangtagError]) -> Row:
        mine = {run: row for run, row in done.items() if run.contestant is contestant}
        order = sorted(mine, key=lambda run: run.seed or 0)
        runs = tuple(mine[run] for run in order)
        over = self.budget_s is not None and any((row.get("seconds") or 0) > OVER * self.budget_s for row in runs)
        return Row(
            name=contestant.name,
            seeds=tuple(run.seed for run in order),
            runs=runs,
            failed=tuple(
                {"seed": run.seed, "error": error.to_dict()}
                for run, error in failed.items()
                if run.contestant is contestant
            ),
            latency=(runs[0].get("latency") or {}) if runs else {},
            trained=contestant.recipe is not None,
            over_budget=over and contestant.recipe is not None,
        )

    def _answers(self, row: Row) -> Probabilities | None:
        seed = row.seeds[0]
        place = Contestant(row.name).folder
        return _load(self.folder / place / ("as-it-is" if seed is None else f"seed-{seed}") / "answers.npy", self.n)

    def _latencies(self, rows: Sequence[Row]) -> dict[str, dict[str, float] | None]:
        """Of every model that can still be opened, timed together, once."""
        facts = ("reading", "logits")  # of a file that others made
        asked: dict[str, dict[str, Any]] = {
            row.name: {"model": row.first("bundle"), **{key: row.first(key) for key in facts if key in row.runs[0]}}
            for row in rows
            if row.first("bundle")
        }
        path = self.folder / "latency.json"
        try:
            kept = json.loads(read_regular(path))
            if kept["asked"] == asked:
                return dict(kept["found"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        if not asked:
            return {}
        self.watch.message("timing answers, all models in turn")
        arguments = {"models": list(asked.values()), "name": self.name, "data": self.data, "split": self.split}
        answered = ask("judged_run:time_answers", arguments, self.folder / "log.txt", self.watch.told)
        found = dict(zip(asked, answered, strict=True))
        write_file(path, json.dumps({"asked": asked, "found": found}, indent=1).encode())
        return found


def _pictures(
    contestants: Sequence[Contestant], name: str, data: str | None, split: str, watch: StudyWatch
) -> tuple[Split, str, str]:
    """The pictures to judge on, the data set's name, and a digest of what of it is used."""
    recipe = next((one.recipe for one in contestants if one.recipe is not None), None)
    size, colour = (recipe.size, recipe.colour) if recipe else (28, False)

    def reading(what: str, done: int, total: int) -> None:
        watch.told({"what": what, "done": done, "total": total})

    dataset = datasets.find(data, name=name, size=size, colour=colour, progress=reading)
    known = {
        one.name: some_classes(one.classes, dataset.class_names) if one.classes else dataset.class_names
        for one in contestants
    }
    (first, classes), *others = known.items()
    if other := next((one for one, names in others if names != classes), None):
        both = f"{first} knows {_listed(classes)}, {other} {_listed(known[other])}"
        raise HangtagError("usage_class", f"{both}: they can only be compared on the same classes")
    training = dataset.training()
    digest = training.digest()
    if dataset.summary is not None:
        watch.message(str(dataset.summary()))
    if dataset.validation is not None:
        digest = f"{digest} {dataset.validation().digest()}"
    if split == "val":
        return only(training_and_validation(dataset, training)[1], classes), dataset.name, digest
    test = dataset.test()
    return only(test, classes), dataset.name, f"{digest} {test.digest()}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{len(names)} classes, {names[0]} to {names[-1]}"


def _made(folder: Path) -> tuple[str, ...]:
    """What in the folder is worth keeping: anything, if it is not a study's."""
    if not (folder / "study.json").exists():
        return tuple(sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(".")))
    worth = [*folder.glob("*/*/row.json"), *folder.glob("*/*/run/checkpoints")]
    return tuple(sorted({path.relative_to(folder).parts[0] for path in worth}))


def _load(path: Path, n: int) -> Probabilities | None:
    """Answers a run left; None where there are none, or damaged ones."""
    try:
        found: Probabilities = np.load(io.BytesIO(read_regular(path, -1)), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.ndim == 2 and len(found) == n else None


def _time(row: dict[str, Any]) -> str:
    return f" in {clock(row['seconds'])}" if row.get("seconds") is not None else ""
