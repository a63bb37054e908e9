"""Transfer: what convolutions learnt on some classes, or on other pictures, are worth on new ones.

Stages, each a run of `experiment.run` in a folder of its own: pretraining (unless there is a start already); frozen, in
which the convolutions stay as they are and new dense layers learn; and two controls beside it, all layers fine-tuned
from the same start, and the same network from scratch with as many epochs. Test pictures are read once, at the end.

Source: Yosinski et al. 2014, "How transferable are features in deep neural networks?", arXiv 1411.1792.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hangtag import data as datasets
from hangtag import experiment, models
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.optional import require
from hangtag.core.recipe import NetworkRecipe, Part, fingerprint, from_dict, options_of, to_dict
from hangtag.data.split import data_record, some_classes
from hangtag.watch import Watch, lines

RESULT = "transfer.json"
KINDS = ("frozen", "fine_tuned", "scratch")
SAID = {
    "pretrain": "pretrained",
    "frozen": "convolutions frozen",
    "fine_tuned": "all layers fine-tuned",
    "scratch": "from scratch",
}
# Chosen on validation pictures of Fashion-MNIST (docs/log.md).
_HEAD = Part("adamw", lr=2e-3, weight_decay=0.05)
_GENTLER = 0.3  # of the rates of training from scratch, so that fine-tuning does not undo what it starts from
_FEW_EPOCHS, _FEW_BATCHES = 40, 8  # at least: fifty pictures, once through in one batch, would teach next to nothing


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One run of a study: what it did, or why it could not."""

    name: str
    few: int | None = None
    numbers: dict[str, Any] = field(default_factory=dict)  # accuracy, loss, precision, recall, confusion, fit, ...
    failed: dict[str, str] | None = None  # {"code", "message"}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; a stage that failed has `error` only."""
        return {"error": self.failed} if self.failed else self.numbers


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A finished study."""

    folder: Path
    data: str
    learnt: tuple[str, ...]  # classes it was pretrained on; empty where it started from somebody's weights
    new: tuple[str, ...]
    start: str | None
    stages: tuple[Stage, ...]
    few: tuple[Stage, ...]

    def stage(self, name: str) -> Stage | None:
        """The stage called `name`, if the study has it."""
        return next((stage for stage in self.stages if stage.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: each stage by name, and `few` with the three kinds for each number of labels."""
        frozen = self.stage("frozen")
        return {
            "out": str(self.folder),
            "data": self.data,
            "from": list(self.learnt),
            "to": list(self.new),
            "start": self.start,
            "test_accuracy": frozen.numbers.get("test_accuracy") if frozen else None,
            **{stage.name: stage.to_dict() for stage in self.stages},
            "few": [
                {"labels": few, **{stage.name: stage.to_dict() for stage in self.few if stage.few == few}}
                for few in sorted({stage.few for stage in self.few if stage.few})
            ],
        }


def transfer(
    base: NetworkRecipe | None,
    *,
    learnt: Sequence[str] = (),
    new: Sequence[str] = (),
    start: str | None = None,
    few: Sequence[int] = (),
    data: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    watch: Watch | None = None,
) -> Transfer:
    """Pretrain, transfer, and the controls.

    Args:
        base: how pretraining and the controls are trained; None for the recipe of the bundle `start`.
        learnt: classes to pretrain on, as `data.split.some_classes` reads them; none if there is a `start`.
        new: classes to transfer to; with a `start` none means all.
        start: a bundle or a file of weights, in place of pretraining.
        few: repeat the stages with so many labels of each class.
        data: what `data.find` takes; by default the recipe's own data set.
        out: the study's folder.
        device: "auto", "cpu", "cuda" or "mps".
        watch: who is told.

    Raises:
        HangtagError: `usage_class` for classes that do not exist or are in both parts; `bundle_*` for the start;
            `run_other_settings` if the folder holds another study; what pretraining raises. A later stage whose
            training fails is marked as failed, and tried again by the same call.
        KeyboardInterrupt: on Ctrl-C; the same call goes on.
    """
    for package, extra in (("torch", "train"), ("jinja2", "report"), ("scipy.optimize", "report")):
        require(package, extra=extra)
    if bool(learnt) == bool(start):
        raise HangtagError("usage_value", "transfer goes --from some classes or from a --start: give one of the two")
    if learnt and not new:
        raise HangtagError("usage_value", "--from says what is learnt first: say --to which classes it goes")
    base = recipe_of(start) if base is None else base
    watch = watch or lines()
    dataset = datasets.find(data, name=base.data, size=base.size, colour=base.colour, progress=watch.reading)
    known = dataset.class_names
    learnt, new = (some_classes(names, known) if names else () for names in (learnt, new))
    if both := [name for name in learnt if name in new]:
        raise HangtagError(
            "usage_class", f"{both[0]!r} is both in --from and in --to: what is new must not have been learnt before"
        )
    digest = None
    if start is not None:
        from hangtag.training.start import read

        digest = read(start).digest
    settings = {
        "study": "transfer",
        "recipe": to_dict(base),
        "data": data_record(dataset, dataset.training(), None),
        "from": list(learnt),
        "to": list(new),
        "few": sorted(few),
        "start": digest,
    }
    folder = out or Path("runs") / f"transfer-{fingerprint(settings)}"
    with owning(folder, "run_busy", f"another process is at work in {folder}: wait for it, or choose another --out"):
        sweep(folder, owned=True)
        made = ("pretrain", *KINDS, "bundle", "run.json", RESULT, "transfer.html")
        experiment.claim(folder, "study.json", settings, made=made)
        if (known_result := _finished(folder)) is not None:
            watch.message(f"finished already: {folder}")
            return known_result
        runs = list(_runs(base, learnt, new, len(new or known), start, sorted(few), folder))
        done = [_trained(run, i + 1, len(runs), data, device, watch) for i, run in enumerate(runs)]
        if done and all(isinstance(outcome, HangtagError) for outcome in done):
            raise next(outcome for outcome in done if isinstance(outcome, HangtagError))
        stages = [_judged(run, done[i], data, i + 1, len(runs), watch) for i, run in enumerate(runs)]
        found = Transfer(
            folder=folder,
            data=dataset.name,
            learnt=learnt,
            new=new or known,
            start=start,
            stages=tuple(stage for stage in stages if stage.few is None),
            few=tuple(stage for stage in stages if stage.few is not None),
        )
        write_file(folder / RESULT, json.dumps(found.to_dict(), indent=1, allow_nan=False).encode())
    return found


def _finished(folder: Path) -> Transfer | None:
    """The study whose record lies in `folder`, if all its stages came through: those that failed are tried again."""
    path = folder / RESULT
    try:
        record = json.loads(read_regular(path))
        found = Transfer(
            folder=folder,
            data=record["data"],
            learnt=tuple(record["from"]),
            new=tuple(record["to"]),
            start=record["start"],
            stages=tuple(_stage(name, None, record[name]) for name in ("pretrain", *KINDS) if name in record),
            few=tuple(_stage(name, few["labels"], few[name]) for few in record["few"] for name in KINDS),
        )
        return None if any(stage.failed for stage in (*found.stages, *found.few)) else found
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise HangtagError("run_damaged", f"{path} cannot be read ({error}): delete it, run again") from error


def _stage(name: str, few: int | None, record: dict[str, Any]) -> Stage:
    failed = record.get("error")
    return Stage(name=name, few=few, numbers={} if failed else record, failed=failed)


@dataclass(frozen=True)
class _Planned:
    name: str
    few: int | None
    recipe: NetworkRecipe
    out: Path


def recipe_of(start: str | None) -> NetworkRecipe:
    """The recipe of a bundle, as it would be used on other data."""
    from hangtag.core import card as cards
    from hangtag.core.paths import find_bundle
    from hangtag.training.start import FILES, IMAGENET, PICKLES

    assert start is not None
    if start == IMAGENET:
        raise HangtagError("usage_value", "imagenet is for networks that take it: name a recipe, such as photos")
    if Path(start).suffix in (*FILES, *PICKLES):
        raise HangtagError(
            "usage_value",
            f"{start} does not say what network it is of: name a recipe, such as transfer, with --set model",
        )
    card = cards.read(find_bundle(start))
    recipe = from_dict(card.recipe) if card.recipe else None
    if not isinstance(recipe, NetworkRecipe):
        raise HangtagError("usage_value", f"{start} is no network that was trained here: name a recipe")
    plain: dict[str, Any] = {"classes": (), "few": None, "start": None, "freeze": False}
    plain |= {"teachers": (), "teacher_views": 0}
    return replace(recipe, **plain, size=card.size)


def _runs(
    base: NetworkRecipe,
    learnt: tuple[str, ...],
    new: tuple[str, ...],
    classes: int,
    start: str | None,
    few: list[int],
    folder: Path,
) -> Iterator[_Planned]:
    """Every run, in order."""
    if start is None:
        start = str(folder / "pretrain" / "bundle")
        # Labels stay sharp: what is learnt from smoothed ones tells its classes apart and little else (Kornblith et al.
        # 2021, "Why Do Better Loss Functions Lead to Less Transferable Features?", arXiv 2010.16402).
        recipe = replace(base, name=f"{base.name}-pretrain", classes=learnt, label_smoothing=0.0)
        yield _Planned("pretrain", None, recipe, folder / "pretrain")
    for number in (None, *few):
        for kind in KINDS:
            recipe = _recipe(kind, replace(base, classes=new), start)
            place = folder / kind
            if number is not None:
                batch = max(16, min(recipe.batch_size, number * classes // _FEW_BATCHES))
                epochs = max(_FEW_EPOCHS, recipe.epochs) if base.epochs > 1 else 1
                recipe = replace(recipe, few=number, prune=0.0, batch_size=batch, epochs=epochs)
                place = folder / f"few-{number}" / kind
            yield _Planned(kind, number, recipe, place)


def _recipe(kind: str, base: NetworkRecipe, start: str) -> NetworkRecipe:
    name = f"{base.name}-{kind.replace('_', '-')}"
    if kind == "scratch":
        return replace(base, name=name, start=None, freeze=False)  # whatever the recipe itself would go on from
    if kind == "fine_tuned":
        from hangtag.training import optimisers

        options = {**base.optimiser.options}
        for key, option in options_of(optimisers.register.get(base.optimiser.name)).items():
            if key in ("lr", "rest_lr"):
                options[key] = _GENTLER * options.get(key, option.default)
        return replace(base, name=name, start=start, freeze=False, optimiser=Part(base.optimiser.name, **options))
    return replace(
        base,
        name=name,
        start=start,
        freeze=True,
        model=_reading_more(base),
        optimiser=_HEAD,
        schedule=Part("one_cycle", warmup=0.1),
        label_smoothing=0.0,
        prune=0.0,
        epochs=max(1, base.epochs // 3),  # it soon knows what frozen features tell (docs/log.md)
    )


def _reading_more(base: NetworkRecipe) -> Part:
    """The model with the classifier that makes most of frozen features, if it has one that fits it."""
    over = models.register.facts(base.model.name).get("over_frozen")
    if over is None:
        return base.model
    model = Part(base.model.name, **{**over, **base.model.options})
    try:
        models.create(model, 2, 3 if base.colour else 1, base.size)
    except HangtagError:  # of another number of stages, say
        return base.model
    return model


def _trained(
    planned: _Planned, number: int, of: int, data: str | None, device: str, watch: Watch
) -> experiment.Run | HangtagError:
    what = SAID[planned.name] + (f", {planned.few:,} labels of each class" if planned.few else "")
    watch.message(f"[{number}/{of}] {what}")
    try:
        return experiment.run(planned.recipe, data=data, out=planned.out, device=device, watch=watch)
    except HangtagError as error:
        if planned.name == "pretrain" or error.code.startswith(("usage", "run", "storage", "checkpoint")):
            raise  # a full disk is no result
        watch.message(f"[{number}/{of}] {what}: failed, {error.message}")
        return error


def _judged(
    planned: _Planned, outcome: experiment.Run | HangtagError, data: str | None, number: int, of: int, watch: Watch
) -> Stage:
    """A stage's numbers on validation and test pictures."""
    if isinstance(outcome, HangtagError):
        return Stage(name=planned.name, few=planned.few, failed=outcome.to_dict())
    from hangtag.evaluation.evaluation import score
    from hangtag.report.judged import measure

    watch.reading("judging", number - 1, of)
    assert outcome.bundle is not None
    judged = measure(outcome.bundle, data, audited=False)
    test = judged.evaluation
    assert judged.validation is not None
    assert judged.validation_probabilities is not None
    held_out = score(judged.validation_probabilities, judged.validation)
    findings = {finding.code: finding for finding in judged.findings}
    wrong = [findings[code].name for code in ("HT001", "HT002") if code in findings and findings[code].cure]
    watch.reading("judging", number, of)
    numbers = {
        "val_accuracy": held_out.accuracy,
        "val_loss": held_out.loss,
        "val_precision": held_out.precision,
        "val_recall": held_out.recall,
        "test_accuracy": test.accuracy,
        "test_interval": list(test.accuracy_interval),
        "test_loss": test.loss,
        "precision": test.precision,
        "recall": test.recall,
        "n": test.n,
        "labels": len(judged.training) if judged.training is not None else None,
        "class_names": list(test.class_names),
        "confusion": test.confusion.tolist(),
        "fit": ", ".join(wrong) or "good fit",
        "seconds": outcome.seconds,
        "epochs": len(outcome.history),
        "params": outcome.params,
        "bundle": outcome.bundle,
    }
    return Stage(name=planned.name, few=planned.few, numbers=numbers)
