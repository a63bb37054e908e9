"""A whole experiment, read top to bottom: data -> training -> proof -> bundle. READ THIS FIRST.

`run(recipe)` takes a recipe to a bundle. It can be killed at any moment: the same call with the same folder goes on
where it stopped, and after the end it returns the finished result at once.
"""

from __future__ import annotations

import dataclasses
import html
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hangtag import classical
from hangtag import data as datasets
from hangtag.core import hardware
from hangtag.core import recipe as recipes
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.folder_summary import counted
from hangtag.core.optional import require
from hangtag.core.paths import COMMAND, UNFINISHED, folder_name
from hangtag.core.recipe import ClassicalRecipe, NetworkRecipe, Recipe
from hangtag.core.types import Dataset, Predictor, Split
from hangtag.data.split import (
    VALIDATION_SEED,
    data_record,
    few_of_each,
    joined,
    only,
    some_classes,
    training_and_validation,
)
from hangtag.export import bundle, unfinished
from hangtag.export.parity import compare
from hangtag.recipes import create
from hangtag.watch import Watch, lines
from hangtag.watch import clock as duration

if TYPE_CHECKING:
    import torch

    from hangtag.training.loop import Snapshot
    from hangtag.training.start import Start
    from hangtag.training.teaching import Teachers

PARITY_PICTURES = 1000


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a finished run gave. `seconds` is wall time until the weights were trained, less time between processes."""

    bundle: str | None  # None: this algorithm has no exact ONNX form, it is for comparison only
    val_accuracy: float | None  # None: trained on all pictures, nothing was left to validate on
    val_loss: float | None
    seconds: float
    export_seconds: float
    params: int | None
    peak_rss_mb: float
    resumed_from_step: int = 0
    best_epoch: int | None = None  # whose weights early stopping kept
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)
    reading: dict[str, Any] | None = field(default=None, repr=False)  # how a folder was read: FolderSummary.to_dict

    def facts(self) -> dict[str, str]:
        """What a person wants to know, in order."""
        found = {}
        if self.val_accuracy is not None:
            found["validation accuracy"] = f"{self.val_accuracy:.2%}, loss {self.val_loss:.3f}"
        if self.best_epoch is not None:
            found["kept"] = f"epoch {self.best_epoch} of {len(self.history)}"
        found["time"] = f"{duration(self.seconds)} to train, {self.export_seconds:.1f} s to export"
        if self.params is not None:
            found["size"] = f"{self.params:,} parameters"
        found["peak memory"] = f"{self.peak_rss_mb:,.0f} MB"
        if self.resumed_from_step:
            found["resumed"] = f"from step {self.resumed_from_step:,}"
        found["bundle"] = self.bundle or "none: this algorithm has no exact ONNX form, it is for comparison only"
        return found

    def __str__(self) -> str:
        return "\n".join(f"{key:>19}  {value}" for key, value in self.facts().items())

    def _repr_html_(self) -> str:
        rows = (f"<tr><th>{key}</th><td>{html.escape(value)}</td></tr>" for key, value in self.facts().items())
        return f"<table>{''.join(rows)}</table>"


def run(
    recipe: Recipe | str,
    *,
    data: str | os.PathLike[str] | Dataset | None = None,
    out: str | os.PathLike[str] | None = None,
    full: bool = False,
    device: str = "auto",
    watch: Watch | None = None,
    clock: Callable[[], float] | None = None,
    keep: Callable[[Predictor], None] = lambda predictor: None,
    command: str = "",
) -> Run:
    """Train `recipe` and bundle the result.

    From the end of the first epoch on the folder can be recognised with and evaluated, at any moment: see `unfinished`.

    Args:
        recipe: what to do, or the name of a recipe.
        data: a data set's name, `NAME=PATH`, or a path; by default the recipe's own data set. Or one that is found.
        out: folder of the run; by default one under `runs/` named after everything that decides the result.
        full: learn from the validation pictures too; nothing is left to validate or stop early on.
        device: "auto", "cpu", "cuda" or "mps".
        watch: who is told; by default each epoch is a line on standard error.
        clock: seconds since the beginning; by default since this call.
        keep: given the fitted model of an algorithm that leaves no bundle; not called where the run was finished
            before.
        command: what a person types to go on, for whoever opens the folder too early.

    Raises:
        HangtagError: with what is wrong, where, and the cure.
        KeyboardInterrupt: if stopped by Ctrl-C or SIGTERM; the same call goes on from there.
    """
    started = time.perf_counter()
    clock = clock or (lambda: time.perf_counter() - started)
    watch = watch or lines()
    if isinstance(recipe, str):
        recipe = create(recipe)
    if not isinstance(recipe, NetworkRecipe | ClassicalRecipe):
        raise HangtagError("usage_value", f"what is trained is a recipe or its name, not {recipe!r}")
    _require_extras(recipe)
    learnt = _Learnt.by_others(recipe, device)  # a wrong name is told before pictures are fetched or drawn
    dataset = (
        data
        if isinstance(data, Dataset)
        else datasets.find(data, name=recipe.data, size=recipe.size, colour=recipe.colour, progress=watch.reading)
    )
    everything = dataset.training()  # the test pictures are not even opened here
    training, validation = _parted(dataset, everything, full)
    about_data = data_record(dataset, everything, validation)
    if everything.skipped:
        watch.message(_left_out(everything.skipped))
    if dataset.summary is not None:
        watch.message(str(dataset.summary()))
    if recipe.classes:
        recipe = dataclasses.replace(recipe, classes=some_classes(recipe.classes, everything.class_names))
        training, validation = only(training, recipe.classes), validation and only(validation, recipe.classes)
        about_data["classes_in_all"] = len(everything.class_names)
        if validation is not None and not len(validation):
            few = "these classes have too few pictures to hold some out for validation"
            raise HangtagError("data_count", f"{few}: add some, or learn from all with --full")
    if recipe.few is not None:
        training = few_of_each(training, recipe.few, recipe.seed)
    about_data |= {
        "training": len(training),
        "validation": 0 if validation is None else len(validation),
        "validation_seed": VALIDATION_SEED,
    }
    del everything  # 47 MB that training would hold for nothing
    settings = {"recipe": recipes.to_dict(recipe), "full": full, "data": about_data}
    settings |= learnt.digests()
    folder = Path(out) if out else Path("runs") / f"{folder_name(recipe.name)}-{recipes.fingerprint(settings)}"
    with owning(folder, "run_busy", f"another process is training in {folder}: wait for it, or choose another --out"):
        if (finished := _claim(folder, settings)) is not None:
            watch.message(f"finished already: {folder}")
            unfinished.clear(folder)
            return finished
        sweep(folder, owned=True)
        unfinished.sweep_leftovers(folder)
        if command:
            write_file(folder / COMMAND, f"{command}\n".encode("utf-8", "backslashreplace"))
        card = Card(
            name=recipe.name,
            class_names=training.class_names,
            size=recipe.size,
            colour=recipe.colour,
            recipe=recipes.to_dict(recipe),
            full=full,
            data=about_data | _whereabouts(dataset),
            versions=bundle.versions(),
            commit=bundle.commit(),
            created=bundle.now(),
        )
        given = (training, validation, card, folder, device, watch, clock)
        if isinstance(recipe, NetworkRecipe):
            result = _train_network(recipe, learnt, *given)
        else:
            result = _fit_classical(recipe, *given, keep)
        if dataset.summary is not None:
            result = dataclasses.replace(result, reading=dataset.summary().to_dict())
        write_file(folder / "result.json", json.dumps(dataclasses.asdict(result), indent=1).encode())
        unfinished.clear(folder)
    return result


def _parted(dataset: Dataset, everything: Split, full: bool) -> tuple[Split, Split | None]:
    """What is trained on and what it is validated on: with `full` nothing, and all is trained on."""
    if not full:
        return training_and_validation(dataset, everything)
    return (everything if dataset.validation is None else joined(everything, dataset.validation())), None


def _whereabouts(dataset: Dataset) -> dict[str, str]:
    """Where the images lie, for the card: it decides nothing, so it is no setting of the run."""
    found = {"place": dataset.place} if dataset.place else {}
    return found | ({"files_digest": dataset.files_digest()} if dataset.files_digest else {})


def _require_extras(recipe: Recipe) -> None:
    """What this run will need is looked for now, not after a download or an hour of training."""
    if isinstance(recipe, NetworkRecipe):
        for package in ("torch", "safetensors", "onnx"):
            require(package, extra="train")
        return
    require("sklearn", extra="classical")
    for package in ("onnx", "skl2onnx") if classical.register.facts(recipe.estimator.name)["onnx"] else ():
        require(package, extra="classical")


@dataclass(frozen=True)
class _Learnt:
    """What others have learnt and a recipe builds upon; other weights make another run, whatever their file's name."""

    start: Start | None = None
    teachers: Teachers | None = None

    @classmethod
    def by_others(cls, recipe: Recipe, device: str) -> _Learnt:
        if not isinstance(recipe, NetworkRecipe):
            return cls()
        start = teachers = None
        if recipe.start is not None:
            from hangtag.training.start import read

            start = read(recipe.start)
        if recipe.teachers:
            from hangtag.training.machine import choose_device
            from hangtag.training.teaching import open_teachers

            teachers = open_teachers(recipe, choose_device(device))
        return cls(start, teachers)

    def may_know_validation(self, data: str) -> str:
        """Why the validation pictures of the data of this digest may be known already; empty if they are not."""
        if self.start and self.start.full == data:
            return f"{self.start.origin} has learnt from the validation pictures"
        return self.teachers.may_know_validation(data) if self.teachers else ""

    def digests(self) -> dict[str, Any]:
        """What belongs to a run's settings; empty for a run that builds upon nothing."""
        start = {"start": self.start.digest} if self.start else {}
        return start | ({"teachers": [one["sha256"] for one in self.teachers.record]} if self.teachers else {})


def _train_network(
    recipe: NetworkRecipe,
    learnt: _Learnt,
    training: Split,
    validation: Split | None,
    card: Card,
    folder: Path,
    device_name: str,
    watch: Watch,
    clock: Callable[[], float],
) -> Run:
    from safetensors.torch import save

    from hangtag import models
    from hangtag.export import onnx
    from hangtag.predict.onnx import OnnxPredictor
    from hangtag.predict.torch import TorchPredictor
    from hangtag.training import interrupt, machine
    from hangtag.training.loop import fit, memory_errors

    device = machine.choose_device(device_name)
    machine.keep_memory()
    prefers = models.register.facts(recipe.model.name).get("precision")
    precision = machine.choose_precision(recipe.precision, prefers, device)
    taught = None
    if validation is not None and (reason := learnt.may_know_validation(card.data["digest"])):
        watch.message(f"{reason}: validation flatters what comes of it")
    if learnt.teachers:
        with memory_errors(recipe):
            taught = _asked(learnt.teachers, recipe, training, folder, device, watch)
    where = {"device": machine.describe(device), "precision": precision}
    teachers = {"teachers": learnt.teachers.record} if learnt.teachers else {}
    so_far = dataclasses.replace(card, training={**where, **teachers})

    def keep(snapshot: Snapshot) -> None:
        try:
            unfinished.keep(folder, so_far, snapshot)
        except HangtagError as error:  # the checkpoint that comes next is what must not fail
            watch.message(f"the weights so far cannot be used yet: {error.message}")

    with interrupt.listening() as stop:
        fitted = fit(
            recipe,
            training,
            validation,
            device=device,
            precision=precision,
            checkpoints=folder / "checkpoints",
            stop=stop,
            clock=clock,
            start=learnt.start,
            taught=taught,
            watch=watch.progress,
            warn=watch.message,
            keep=keep,
        )
        if stop.requested:  # after the last step
            raise KeyboardInterrupt("stopped after the last step and saved: the same command exports the result")

    exporting = time.perf_counter()
    watch.message("exporting to ONNX, and proving on real pictures that it answers the same")
    content = onnx.to_onnx(fitted.deployed, recipe.size, recipe.colour)
    served = OnnxPredictor(content, card)
    proof = (training if validation is None else validation).images[:PARITY_PICTURES]
    parity = compare(served, TorchPredictor(fitted.deployed, training.class_names), proof)
    judged, decision = _judge(served, validation, card)
    params = sum(parameter.numel() for parameter in fitted.deployed.model.parameters())
    peak = round(hardware.peak_rss_mb(), 1)
    card = dataclasses.replace(
        card,
        normalise={"mean": fitted.deployed.mean.flatten().tolist(), "std": fitted.deployed.std.flatten().tolist()},
        params=params,
        decision=decision,
        parity=parity.to_dict(),
        metrics={"validation": judged} if judged else {},
        training={
            "seconds": round(fitted.seconds, 2),
            "epochs": len(fitted.history),
            "best_epoch": fitted.best_epoch,
            **where,
            "peak_rss_mb": peak,
            **({"start": fitted.start} if fitted.start else {}),
            **teachers,
            "history": [dataclasses.asdict(epoch) for epoch in fitted.history],
        },
    )
    bundle.write(card, folder / "bundle", onnx=content, weights=save(fitted.deployed.model.state_dict()))
    return Run(
        bundle=str(folder / "bundle"),
        val_accuracy=judged.get("accuracy"),
        val_loss=judged.get("loss"),
        seconds=round(fitted.seconds, 3),
        export_seconds=round(time.perf_counter() - exporting, 3),
        params=params,
        peak_rss_mb=peak,
        resumed_from_step=fitted.resumed_from_step,
        best_epoch=fitted.best_epoch,
        history=[dataclasses.asdict(epoch) for epoch in fitted.history],
    )


def _asked(
    teachers: Teachers, recipe: NetworkRecipe, training: Split, folder: Path, device: torch.device, watch: Watch
) -> Any:
    """What the teachers say of the training pictures, or of each view of them.

    Kept in `folder`, in a file named after all that decides it but the number of views: a folder that was begun with
    other teachers keeps their answers apart.
    """
    import torch

    from hangtag.training import teaching
    from hangtag.training.views import Views, channels_first

    mirrored = recipe.flip_average or any("flip" in part.name for part in recipe.augment)
    about = {
        "teachers": [one["sha256"] for one in teachers.record],
        "pictures": training.digest(),
        "seen": recipes.to_dict(recipe)["augment"] if recipe.teacher_views else mirrored,
    }
    keep = folder / f"teachers-{recipes.fingerprint(about)}.npy"
    if not recipe.teacher_views:
        given = (training.images, training.class_names, keep)
        return teaching.answers(teachers, *given, mirrored=mirrored, progress=watch.reading)
    images = channels_first(training.images).to(device)
    views = Views(recipe.augment, images, torch.zeros(len(images), 1, device=device))
    shape = (recipe.teacher_views, len(images))
    return teaching.answers_to_views(teachers, views, training.class_names, keep, shape, progress=watch.reading)


def _fit_classical(
    recipe: ClassicalRecipe,
    training: Split,
    validation: Split | None,
    card: Card,
    folder: Path,
    device_name: str,
    watch: Watch,
    clock: Callable[[], float],
    keep: Callable[[Predictor], None],
) -> Run:
    if device_name not in ("auto", "cpu"):
        raise HangtagError("usage_device", f"recipe {recipe.name!r} runs on the CPU only, not on {device_name!r}")
    exact = classical.register.facts(recipe.estimator.name)["onnx"]
    from hangtag.predict.sklearn import SklearnPredictor

    if not exact:
        watch.message(
            f"{recipe.estimator.name} has no ONNX form of bearable size: for comparison only, without a bundle"
        )
    estimator = classical.fit(recipe, training, watch.message)
    seconds = clock()
    fitted = SklearnPredictor(estimator, training.class_names)
    exporting = time.perf_counter()
    if exact:
        from hangtag.export import sklearn as export
        from hangtag.predict.onnx import OnnxPredictor

        watch.message("exporting to ONNX, and proving on real pictures that it answers the same")
        content = export.to_onnx(estimator, recipe.size, recipe.colour, len(training.class_names))
        served = OnnxPredictor(content, card)
        proof = (training if validation is None else validation).images[:PARITY_PICTURES]
        parity = compare(served, fitted, proof)
        judged, decision = _judge(served, validation, card)
        card = dataclasses.replace(
            card,
            decision=decision,
            parity=parity.to_dict(),
            metrics={"validation": judged} if judged else {},
            training={
                "seconds": round(seconds, 2),
                "device": f"CPU {hardware.cpu_name()}",
                "peak_rss_mb": round(hardware.peak_rss_mb(), 1),
            },
        )
        bundle.write(card, folder / "bundle", onnx=content)
    else:
        judged, _ = _judge(fitted, validation, card)
        keep(fitted)
    return Run(
        bundle=str(folder / "bundle") if exact else None,
        val_accuracy=judged.get("accuracy"),
        val_loss=judged.get("loss"),
        seconds=round(seconds, 3),
        export_seconds=round(time.perf_counter() - exporting, 3) if exact else 0.0,
        params=None,
        peak_rss_mb=round(hardware.peak_rss_mb(), 1),
    )


def _judge(predictor: Predictor, validation: Split | None, card: Card) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the served model scores on the validation images, and how often it is right where it is sure."""
    if validation is None:
        return {}, {}
    from hangtag.evaluation.coverage import decision_record
    from hangtag.evaluation.evaluation import answers, score

    probabilities = answers(predictor, validation)
    judged = score(probabilities, validation)
    decision = decision_record(probabilities, validation.labels, f"{card.data['name']}, validation split")
    return {"n": judged.n, "accuracy": judged.accuracy, "loss": judged.loss}, decision


def _claim(folder: Path, settings: dict[str, Any]) -> Run | None:
    """Make `folder` this run's own; if the run is finished, give its result.

    Raises:
        HangtagError: `run_other_settings`, naming what differs.
    """
    if (folder / COMMAND).exists() and not (folder / "run.json").exists():
        raise HangtagError("run_damaged", f"{folder} holds {COMMAND} but no run.json: choose another --out")
    claim(folder, "run.json", settings, made=("result.json", "bundle", "checkpoints", UNFINISHED))
    result = folder / "result.json"
    try:
        run = Run(**json.loads(read_regular(result)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise HangtagError("run_damaged", f"{result} cannot be read ({error}): delete it, run again") from error
    if run.bundle is None:
        return run
    if not (folder / "bundle" / "card.json").exists():  # the last checkpoint still has it
        return None
    return dataclasses.replace(run, bundle=str(folder / "bundle"))  # the folder may have moved


def claim(folder: Path, name: str, settings: dict[str, Any], *, made: tuple[str, ...]) -> None:
    """Write `settings` into the file `name` of `folder`, or see that they are those it was begun with.

    Args:
        folder: owned by the caller.
        name: the file that says what the folder is for.
        settings: JSON types.
        made: what work leaves in the folder; as long as none of it is there, other settings may take it over.

    Raises:
        HangtagError: `run_other_settings`, naming what differs; `run_damaged`.
    """
    path = folder / name
    saved = [made_here for made_here in made if (folder / made_here).exists()]
    if not path.exists() and saved:  # somebody's folder, and a bundle in it would be replaced
        raise HangtagError("run_damaged", f"{folder} holds {saved[0]} but no {name}: choose another --out")
    differing: list[str] = []
    if path.exists():
        try:
            known = json.loads(read_regular(path))
            if not isinstance(known, dict) or not known.keys() & settings.keys():
                raise ValueError("it holds no settings of Hangtag's")
            differing = differences(known, json.loads(json.dumps(settings)))
        except (OSError, ValueError) as error:
            raise HangtagError("run_damaged", f"{path} cannot be read ({error}): choose another --out") from error
    if differing and saved:
        more = f"; and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise HangtagError(
            "run_other_settings",
            f"{folder} holds work with other settings ({'; '.join(differing[:3])}{more}): choose another --out",
        )
    if differing or not path.exists():  # what got nowhere, for a typing error perhaps, holds no folder
        write_file(path, json.dumps(settings, indent=1).encode())


def _left_out(skipped: tuple[str, ...]) -> str:
    first = "; ".join(skipped[:3])
    return f"{counted(skipped)} left out: {first}{'; ...' if skipped[3:] else ''}"


def differences(known: Any, wanted: Any, where: str = "") -> list[str]:
    """`key: 3 there, 5 asked` for every leaf that differs."""
    if isinstance(known, list) and isinstance(wanted, list):
        if len(known) != len(wanted):
            return [f"{where}: {len(known)} there, {len(wanted)} asked"]
        known, wanted = (dict(enumerate(items, start=1)) for items in (known, wanted))
    if not (isinstance(known, dict) and isinstance(wanted, dict)):
        return [] if known == wanted else [f"{where}: {_shown(known)} there, {_shown(wanted)} asked"]
    found = []
    for key in (*known, *(key for key in wanted if key not in known)):
        found += differences(known.get(key), wanted.get(key), f"{where}.{key}" if where else str(key))
    return found


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
