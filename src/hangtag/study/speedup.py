"""How much sooner a recipe is trained after some changes, and which of them it comes from.

One change after another, in a fixed order, each run in a process of its own: the time of each step over that of the
step before it is what the change brought, and the product of these ratios is the whole. Another order would share out
the whole a little differently; the whole is the same.
"""

from __future__ import annotations

import functools
import json
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hangtag import classical, evaluation, predict, recipes
from hangtag import data as datasets
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.recipe import ClassicalRecipe, Recipe, override, to_dict
from hangtag.data.split import data_record, training_and_validation
from hangtag.evaluation.bundle import known_to
from hangtag.experiment import claim
from hangtag.study.trainers import Trainers
from hangtag.watch import clock as duration

if TYPE_CHECKING:
    from hangtag.training.interrupt import Stop

GOAL = 0.9412  # of the baseline's time to be saved, as published; its own baseline is not stated there
LEAST = 0.91  # accuracy on training and test pictures


@dataclass(frozen=True)
class Change:
    """A step away from the baseline: its name, and settings as `--set` takes them."""

    name: str
    settings: tuple[str, ...]


BASELINE = "speed_baseline"
CHANGES = (
    Change("epochs", ("epochs=4",)),  # first, so that the steps after it take a fifth of the time to measure
    Change("precision", ("precision=auto",)),  # bf16 where the hardware is built for it
    # A sixteenth of the steps: the rate grows eightfold, and the average forgets a tenth as many of them
    Change("batch size", ("batch_size=512", "optimiser.lr=8e-3", "average.decay=0.95")),
    Change("kernels and filters", ("model.filters=16,32,64",)),
    # A network that sees each picture four times has no need to be held back
    Change("dropout and shifts", ("model.dropout=0.0", "augment=alternating_flip")),
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one recipe of the chain took and reached.

    Args:
        name, settings: the change that leads here.
        seconds: of training, the median of `runs`; without loading Python and reading data.
        ratio: to the step before; 1 for the baseline.
        share: of the whole reduction, in logarithms: ln(ratio) / ln(product of all ratios).
        train_accuracy, val_accuracy, test_accuracy: as exported, of the first run; of training pictures as they are.
        epochs: trained.
        peak_rss_mb: most memory the process held.
    """

    name: str
    settings: tuple[str, ...]
    seconds: float
    runs: tuple[float, ...]
    ratio: float
    share: float
    epochs: int
    train_accuracy: float
    val_accuracy: float
    test_accuracy: float
    peak_rss_mb: float


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All steps, the baseline first."""

    recipe: dict[str, Any]  # at the chain's end
    data: str
    steps: tuple[Step, ...]

    @property
    def saved(self) -> float:
        """Share of the baseline's time that is saved."""
        return 1 - self.steps[-1].seconds / self.steps[0].seconds

    @property
    def reached(self) -> bool:
        """Whether as much is saved as published, at the accuracy published."""
        last = self.steps[-1]
        return self.saved >= GOAL and min(last.train_accuracy, last.test_accuracy) >= LEAST

    def sentence(self) -> str:
        """The whole, and its parts."""
        first, last = self.steps[0], self.steps[-1]
        parts = ", ".join(f"{step.name} ×{step.ratio:.3f} ({step.share:.0%})" for step in self.steps[1:])
        sign = "−" if self.saved >= 0 else "+"
        return (
            f"training time {sign}{abs(self.saved):.2%} ({last.seconds:.1f} s against {first.seconds:.1f} s) at "
            f"{last.train_accuracy:.2%} on training and {last.test_accuracy:.2%} on test pictures "
            f"(before: {first.train_accuracy:.2%} and {first.test_accuracy:.2%}): {parts}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **asdict(self),
            "steps": [
                {**asdict(step), "settings": list(step.settings), "runs": list(step.runs)} for step in self.steps
            ],
            "saved": self.saved,
            "goal": GOAL,
            "least_accuracy": LEAST,
            "reached": self.reached,
            "sentence": self.sentence(),
        }


def speed_chain(
    out: Path,
    *,
    baseline: Recipe | None = None,
    changes: Sequence[Change] = CHANGES,
    data: str | None = None,
    device: str = "auto",
    repeats: int = 1,
    message: Callable[[str], None] = lambda text: None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Chain:
    """Measure the baseline and then each change on top of those before it.

    The recipes are frozen before anything is measured: nothing is chosen by the accuracies, so the test pictures are
    read for the table alone.

    Args:
        out: folder of all runs and of `chain.json`; the same call with the same folder goes on.
        baseline: by default the recipe `speed_baseline`.
        changes: what leads away from it, in order.
        data, device: as `experiment.run` takes them.
        repeats: runs of each step, in rounds, so that a machine that slows down slows all steps alike.
        message: told what was measured, and how long the rest takes.
        progress: told (what, steps done, steps in all).

    Raises:
        HangtagError: as `experiment.run`; `usage_setting` for a name given twice; `run_other_settings` if `out` holds
            other steps or data; `training_failed` if a run fails.
        KeyboardInterrupt: on Ctrl-C, all saved.
    """
    from hangtag.training import interrupt

    names = ["baseline", *(change.name for change in changes)]
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise HangtagError("usage_setting", f"two steps are called {twice[0]!r}: give each change a name of its own")
    recipe = baseline or recipes.create(BASELINE)
    chain = [(Change("baseline", ()), recipe)]
    for change in changes:
        recipe = override(recipe, change.settings)
        chain.append((change, recipe))
    for _, one in chain:
        if isinstance(one, ClassicalRecipe) and not classical.register.facts(one.estimator.name)["onnx"]:
            raise HangtagError("usage_value", f"{one.estimator.name} leaves no bundle that could be judged afterwards")
    busy = f"another process is at work in {out}: wait for it, or choose another folder"
    with owning(out, "run_busy", busy), interrupt.listening() as stop:
        sweep(out, owned=True)
        steps = {str(i): {"name": change.name, "recipe": to_dict(recipe)} for i, (change, recipe) in enumerate(chain)}
        dataset = datasets.find(data, name=recipe.data, size=recipe.size, colour=recipe.colour)
        settings = {"steps": steps, "data": data_record(dataset, dataset.training(), None)}
        claim(out, "speedup.json", settings, made=(*(path.name for path in out.glob("*-*")), "chain.json"))
        found: dict[str, list[dict[str, Any]]] = {change.name: [] for change, _ in chain}
        spent = 0.0
        for turn in range(repeats):
            for i, (change, recipe) in enumerate(chain):
                place = out / f"{i}-{change.name.replace(' ', '-')}-{turn}"
                what = change.name if repeats == 1 else f"{change.name}, run {turn + 1} of {repeats}"
                run = _trained(recipe, place, data, device, stop, functools.partial(progress, what))
                found[change.name].append(run)
                spent += run["seconds"]
                message(f"{what}: {run['seconds']:.1f} s, validation {run['val_accuracy']:.2%}")
            if turn < repeats - 1:
                message(f"about {duration(spent / (turn + 1) * (repeats - turn - 1))} left")
        judged = []
        for i, (change, _) in enumerate(chain):
            judged.append(_judged(out / f"{i}-{change.name.replace(' ', '-')}-0", data, progress))
            if stop.requested:
                raise KeyboardInterrupt("stopped, all saved: the same call goes on")
        result = Chain(recipe=to_dict(chain[-1][1]), data=judged[0]["data"], steps=_steps(chain, found, judged))
        write_file(out / "chain.json", json.dumps(result.to_dict(), indent=1).encode())
    return result


def _steps(
    chain: Sequence[tuple[Change, Recipe]], found: dict[str, list[dict[str, Any]]], judged: list[dict[str, Any]]
) -> tuple[Step, ...]:
    medians = [statistics.median(run["seconds"] for run in found[change.name]) for change, _ in chain]
    whole = math.log(medians[-1] / medians[0])
    steps = []
    for i, ((change, _), seconds) in enumerate(zip(chain, medians, strict=True)):
        ratio = seconds / medians[i - 1] if i else 1.0
        runs = found[change.name]
        steps.append(
            Step(
                name=change.name,
                settings=change.settings,
                seconds=seconds,
                runs=tuple(run["seconds"] for run in runs),
                ratio=ratio,
                share=math.log(ratio) / whole if whole else 0.0,
                epochs=len(runs[0]["history"]),
                train_accuracy=judged[i]["train"],
                val_accuracy=runs[0]["val_accuracy"],
                test_accuracy=judged[i]["test"],
                peak_rss_mb=max(run["peak_rss_mb"] for run in runs),
            )
        )
    return tuple(steps)


def _trained(
    recipe: Recipe, place: Path, data: str | None, device: str, stop: Stop, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """The Run of `recipe`, trained in a process of its own, or as it was found."""
    try:
        known: dict[str, Any] = json.loads(read_regular(place / "result.json"))
        return known
    except (OSError, ValueError):
        pass
    trainers = Trainers(1, place.parent / "trainers.log")
    told = False
    try:
        trainers.start(0, recipe, data=data, out=place, device=device)
        while True:
            for _, said in trainers.heard(0.25):
                if "step" in said:
                    progress(said["step"], said["steps"])
                if "done" in said:
                    progress(1, 1)
                    run: dict[str, Any] = said["done"]
                    return run
                if "died" in said and stop.requested:
                    raise KeyboardInterrupt("stopped: the same call goes on")
                if "failed" in said or "died" in said:
                    raise HangtagError("training_failed", f"{place}: {said.get('failed', 'its process died')}")
                if "stopped" in said:
                    raise KeyboardInterrupt("stopped, all saved: the same call goes on")
            if stop.requested and not told:
                trainers.stop(0, "save")
                told = True
    finally:
        trainers.close()


def _judged(place: Path, data: str | None, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Accuracy of the exported model on the training pictures as they are, and on the test pictures."""
    path = place / "judged.json"
    if path.exists():
        known: dict[str, Any] = json.loads(read_regular(path))
        return known
    model = predict.load(place / "bundle")
    dataset = datasets.find(data, name=str(model.card.data["name"]), size=model.card.size, colour=model.card.colour)
    training, test = (known_to(model.card, part) for part in (training_and_validation(dataset)[0], dataset.test()))
    found = {
        "data": dataset.name,
        "train": evaluation.judge(model, training, progress).accuracy,
        "test": evaluation.judge(model, test, progress).accuracy,
    }
    write_file(path, json.dumps(found).encode())
    return found
