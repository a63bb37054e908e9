"""Tuning: many trials of one recipe with other settings, chosen by Optuna, judged on the validation pictures.

This process asks Optuna and keeps the books; trials are trained in processes of their own (`trainers.py`), so one that
runs out of memory takes nothing with it. Books are in a database (`storage.py`): killed at any moment, the same call
goes on, and several machines may work at one study.
"""

from __future__ import annotations

import json
import math
import secrets
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hangtag import data as datasets
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.optional import require
from hangtag.core.paths import folder_name
from hangtag.core.recipe import NetworkRecipe, Recipe, fingerprint, to_dict
from hangtag.data.split import VALIDATION_SEED, data_record, only, some_classes, training_and_validation
from hangtag.experiment import differences
from hangtag.study import storage as storages
from hangtag.study import trials as judging
from hangtag.study.chooser import Chooser, identity
from hangtag.study.space import Range, Settings, Space, applied
from hangtag.study.trainers import Trainers
from hangtag.study.trials import Objective, State, Trial

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

    from hangtag.training.interrupt import Stop

TRIALS = 30  # by default
_PARTS = 20  # of a run: trials of different epochs are compared after the same share of theirs
_UNPRUNED, _FIRST = 0.2, 5  # share of a run in which, and trials among which, none is pruned
_DEATHS = 3  # of a trial's process, after which the trial has failed
_LOOK_S = 1.0  # between two looks at what other machines have done
_SAVE_S = 60.0


@dataclass
class Now:
    """A running trial as it stands."""

    epoch: int = 0
    epochs: int = 0
    done: float = 0.0  # of the run, in [0, 1]
    val_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The study as it stands, for whoever watches."""

    trials: list[Trial]  # all but those that wait
    now: dict[int, Now]  # the ones that run here, by number
    wanted: int | None  # None: as many as there is time for
    eta_s: float | None  # None: not yet known
    start: Trial | None
    best: Trial | None


@dataclass(frozen=True)
class Watch:
    """Who is told what. The default tells nobody."""

    message: Callable[[str], None] = lambda text: None
    reading: Callable[[str, int, int], None] = lambda what, done, total: None
    standing: Callable[[Standing], None] = lambda standing: None


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study, finished or stopped."""

    out: Path
    name: str
    storage: str  # without its password
    objective: Objective
    sampler: str
    space: Space
    trials: list[Trial]
    start: Trial | None
    best: Trial | None
    validation: int  # pictures that accuracies are of
    data: str | None  # as it was asked for
    stopped: bool  # by Ctrl-C or SIGTERM, all trials saved; the same call goes on
    combinations: int | None = None  # different settings there are, the recipe's own counted; None: no end of them
    all_tried: bool = False  # each of them once
    optuna: optuna.Study = field(repr=False)


def tune(
    space: Space,
    *,
    objective: Objective = "accuracy",
    grid: bool = False,
    trials: int | None = None,
    timeout_s: float | None = None,
    jobs: int = 1,
    prune: bool | None = None,
    storage: str | None = None,
    name: str | None = None,
    data: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    watch: Watch | None = None,
) -> Study:
    """Try settings of `space` until there are `trials` trials, the recipe as it stands being the first.

    Where settings can be counted, none is tried twice, failed ones included, and the study ends when all were tried.

    Args:
        space: of a recipe; see `space.read`.
        objective: validation accuracy, or that against training time.
        grid: try every combination, in order; by default TPE chooses.
        trials: how many in all; by default 30, or all combinations of a grid, or what `timeout_s` allows. Never more
            than there are combinations.
        timeout_s: after this long no new trial begins.
        jobs: trials at a time, each in a process of its own.
        prune: stop trials that do worse than the median of those before after the same share of their epochs. By
            default where there is one objective.
        storage: URL of a database that holds the study; by default an SQLite file in `out`.
        name: of the study, by which others join it; by default made of everything that decides it.
        data, device: as `experiment.run` takes them.
        out: folder for trials and results; by default one under `runs/` named after everything that decides the study.
        watch: who is told.

    Raises:
        HangtagError: `usage_*` for options that do not fit; `run_other_settings` if the folder or the study holds
            something else; `storage_*`; `data_*`; `extra_missing`. A trial that fails raises nothing.
        KeyboardInterrupt: on Ctrl-C before the first trial, and on a second one; the same call goes on.
    """
    from hangtag.training import interrupt

    watch = watch or Watch()
    recipe = space.recipe
    require_extras(recipe)
    if prune and objective != "accuracy":
        raise HangtagError("usage_value", "trials are pruned by one number: leave out --prune, or take accuracy alone")
    if isinstance(recipe, NetworkRecipe) and recipe.start is not None:
        from hangtag.training.start import read

        read(recipe.start)  # or each trial would fail for it
    if objective == "accuracy-time" and jobs > 1:
        watch.message("trials side by side slow each other down: their times say less than with --jobs 1")
    chooser = Chooser(space, grid=grid)
    wanted = _wanted(chooser.total, grid, trials, timeout_s)
    if chooser.total is not None and (trials or 0) > chooser.total:
        watch.message(f"the study ends before {trials} trials: the space has {_combinations(chooser)}, each tried once")
    about_data, validation = _about(recipe, data, watch)
    settings = {
        "recipe": to_dict(recipe),
        "space": space.to_dict(),
        "objective": objective,
        "sampler": "grid" if grid else "tpe",
        "data": about_data,
    }
    label = f"{folder_name(recipe.name)}-{fingerprint(settings)}"
    folder = out or Path("runs") / f"tune-{label}"
    busy = f"another process is at work in {folder}: wait for it, or choose another --out"
    with owning(folder, "run_busy", busy), interrupt.listening() as stop:
        sweep(folder, owned=True)
        url = storage or f"sqlite:///{folder / 'study.db'}"
        token = _claim(folder, {**settings, "storage": storage and storages.hidden(storage), "study": name or label})
        connection = storages.connect(url)
        with storages.reaching(url), _quiet():
            study = storages.join(connection, name or label, settings, timed=objective == "accuracy-time")
            work = _Work(
                study=study,
                storage=connection,
                space=space,
                chooser=chooser,
                objective=objective,
                wanted=wanted,
                prune=objective == "accuracy" if prune is None else prune,
                folder=folder,
                token=token,
                alone=storage is None,
                data=data,
                device=device,
                watch=watch,
                jobs=jobs,
            )
            stopped = work.to_end(stop, timeout_s)
            known = work.trials()
            start, best = work.start(known), work.best(known)
            all_tried = work.all_tried
    if all_tried and not stopped and not grid:  # of a grid nobody expects anything else
        watch.message(f"all was tried: the space has {_combinations(chooser)}")
    found = Study(
        out=folder,
        name=name or label,
        storage=storages.hidden(url),
        objective=objective,
        sampler="grid" if grid else "tpe",
        space=space,
        trials=known,
        start=start,
        best=best,
        validation=validation,
        data=data,
        stopped=stopped,
        combinations=chooser.total,
        all_tried=all_tried,
        optuna=study,
    )
    return found


def require_extras(recipe: Recipe) -> None:
    """Look for all that a study of the recipe needs, before anything is read or asked.

    Raises:
        HangtagError: `extra_missing`.
    """
    for package in ("optuna", "sklearn", "jinja2"):
        require(package, extra="tune")
    if isinstance(recipe, NetworkRecipe):
        for package in ("torch", "safetensors", "onnx"):
            require(package, extra="tune")


def _wanted(total: int | None, grid: bool, trials: int | None, timeout_s: float | None) -> int | None:
    """How many trials in all; None where only time sets an end."""
    asked = trials or (None if grid or timeout_s else TRIALS)
    return min((number for number in (asked, total) if number is not None), default=None)


def _combinations(chooser: Chooser) -> str:
    assert chooser.total is not None
    size = chooser.total - chooser.outside
    text = f"{size:,} combination{'' if size == 1 else 's'}"
    return f"{text}, and the recipe as it stands is not among them" if chooser.outside else text


def _about(recipe: Recipe, data: str | None, watch: Watch) -> tuple[dict[str, Any], int]:
    """What the trials will learn from; the test pictures are not even opened."""
    dataset = datasets.find(data, name=recipe.data, size=recipe.size, colour=recipe.colour, progress=watch.reading)
    everything = dataset.training()
    if dataset.summary is not None:
        watch.message(str(dataset.summary()))
    classes = some_classes(recipe.classes, dataset.class_names) if recipe.classes else dataset.class_names
    whole, held_out = training_and_validation(dataset, everything)
    training, validation = only(whole, classes), only(held_out, classes)
    about = {
        **data_record(dataset, everything, held_out),
        "training": len(training),
        "validation": len(validation),
        "validation_seed": VALIDATION_SEED,
    }
    return about, len(validation)


def _claim(folder: Path, settings: dict[str, Any]) -> str:
    """Make `folder` this study's own; gives the name by which its running trials know it.

    Raises:
        HangtagError: `run_other_settings`, naming what differs; `run_damaged`.
    """
    path = folder / "study.json"
    try:
        known = json.loads(read_regular(path))
        token, differing = str(known.pop("token")), differences(known, json.loads(json.dumps(settings)))
    except FileNotFoundError:
        if others := sorted(found.name for found in folder.iterdir() if not found.name.startswith(".")):
            raise HangtagError(
                "run_damaged", f"{folder} holds {others[0]} but no study.json: choose another --out"
            ) from None
        token, differing = "", []
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise HangtagError("run_damaged", f"{path} cannot be read ({error}): choose another --out") from error
    if differing and any((folder / kept).exists() for kept in ("trials", "trials.csv")):
        raise HangtagError(
            "run_other_settings",
            f"{folder} holds a study of other settings ({'; '.join(differing)}): choose another --out",
        )
    if differing or not token:  # a study that got nowhere, for a typing error perhaps, holds no folder
        (folder / "study.db").unlink(missing_ok=True)
        token = secrets.token_hex(8)
        write_file(path, json.dumps({"token": token, **settings}, indent=1).encode())
    return token


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna warns of what it calls experimental, and of heartbeats outside its own loop; ours are in `_beat`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(kw_only=True)
class _Work:
    """One process's part in a study."""

    study: optuna.Study
    storage: optuna.storages.RDBStorage
    space: Space
    chooser: Chooser
    objective: Objective
    wanted: int | None
    prune: bool
    folder: Path
    token: str  # by which our trials are known
    alone: bool  # nobody else can reach the storage
    data: str | None
    device: str
    watch: Watch
    jobs: int
    _on: dict[int, optuna.Trial] = field(default_factory=dict)  # running here, by number
    _now: dict[int, Now] = field(default_factory=dict)
    _deaths: dict[int, int] = field(default_factory=dict)
    _vouched: set[int] = field(default_factory=set)
    _finished: int = 0  # here and since now
    _looked: float = -math.inf
    _beaten: float = -math.inf
    _known: list[FrozenTrial] = field(default_factory=list)

    def to_end(self, stop: Stop, timeout_s: float | None) -> bool:
        """Work until nothing is left to do. Returns whether it was stopped."""
        import optuna

        from hangtag.study.sampler import Sampler

        self.sampler = Sampler(self.space.recipe.seed)
        self.study.sampler = self.sampler
        steps = _PARTS if self._differ else getattr(self.space.recipe, "epochs", 1)
        self.study.pruner = optuna.pruners.MedianPruner(
            _FIRST, n_warmup_steps=math.ceil(_UNPRUNED * steps), n_min_trials=_FIRST
        )
        self.trainers = Trainers(self.jobs, self.folder / "trainers.log")
        self._began = time.monotonic()
        try:
            for frozen in self._look():  # were on when the last process died, or was stopped
                if _state(frozen) == "running" and (self.alone or frozen.user_attrs.get("by") == self.token):
                    self._take(optuna.Trial(self.study, frozen._trial_id))
            while not stop.requested:
                while self.trainers.free and self._on.keys() - set(self.trainers.busy):
                    self._start(min(self._on.keys() - set(self.trainers.busy)))
                late = False
                while self.trainers.free and not stop.requested:  # trials whose result is known take no trainer
                    late = timeout_s is not None and time.monotonic() - self._began > timeout_s
                    if late or (trial := self._ask()) is None:
                        break
                    self._take(trial)
                    if trial.number in self._on:
                        self._start(trial.number)
                if not self._on and not self.trainers.busy and (late or not self._elsewhere()):
                    self.watch.standing(self._standing())
                    return False
                for number, said in self.trainers.heard(0.25):
                    self._hear(number, said)
                self._beat()
                self.watch.standing(self._standing())
            self._save()
            return True
        finally:
            self.trainers.close()

    def trials(self) -> list[Trial]:
        """All that have begun, by number."""
        return [_trial(frozen) for frozen in self._look(anew=True) if _state(frozen) not in ("waiting", "surplus")]

    def start(self, trials: list[Trial]) -> Trial | None:
        """The recipe as it stands, once it is trained."""
        return next((t for t in judging.complete(trials) if t.settings == self.chooser.start), None)

    def best(self, trials: list[Trial]) -> Trial | None:
        """See `trials.best`."""
        return judging.best(trials, self.objective, self.start(trials))

    @property
    def all_tried(self) -> bool:
        """Whether no combination is left, and every trial is over."""
        known = self._look(anew=True)
        on = any(_state(trial) in ("running", "waiting") for trial in known)
        return self.chooser.total is not None and not on and self._number(known) >= self.chooser.total

    def _number(self, trials: Sequence[FrozenTrial]) -> int:
        """How many of the trials that were asked for these are. Where settings can be counted, different ones are."""
        counted = [trial for trial in trials if _counts(trial)]
        if self.chooser.total is None:
            return len(counted)
        chosen = [trial.user_attrs.get("settings") for trial in counted]
        return len({identity(settings) for settings in chosen if settings is not None}) + chosen.count(None)

    def _ask(self) -> optuna.Trial | None:
        """The next trial, if one is wanted; no other process is given it."""
        known = self._look(anew=True)
        waiting = any(_state(trial) == "waiting" for trial in known)
        if not waiting and self.wanted is not None and self._number(known) >= self.wanted:
            return None
        trial = self.study.ask()
        self.storage.record_heartbeat(trial._trial_id)
        trial.set_user_attr("by", self.token)
        return trial

    def _take(self, trial: optuna.Trial) -> None:
        """Give a trial its settings; it is on from here, unless it is one too many or its result is known."""
        import optuna

        alone = nullcontext() if self.alone else storages.in_turn(self.storage, self.study._study_id)
        with alone:
            settings, known = self._settings(trial), self._known
        if settings is None:
            trial.set_user_attr("surplus", True)  # another machine asked at the same moment
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        self._write_down(trial, settings)
        twins = (t for t in map(_trial, known) if t.state in ("complete", "failed") and t.settings == settings)
        if (twin := next((t for t in twins if t.number != trial.number), None)) is not None:
            trial.set_user_attr("same_as", twin.number)
            if twin.state == "complete":
                self._tell(trial, judging.accuracy(twin), judging.seconds(twin))
            else:
                trial.set_user_attr("error", twin.error)
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        self._on[trial.number], self._now[trial.number] = trial, Now()

    def _settings(self, trial: optuna.Trial) -> Settings | None:
        """The settings it has, or those it gets; None if it is one too many."""
        known = self._look(anew=True)
        frozen = next(other for other in known if other.number == trial.number)
        origin = frozen.system_attrs.get("failed_trial", trial.number)
        before = [other for other in known if other.number < origin]
        if origin == trial.number and self.wanted is not None and self._number(before) >= self.wanted:
            return None
        settings: Settings | None = frozen.user_attrs.get("settings")
        if settings is None:
            others = [other.user_attrs.get("settings") for other in known if other.number != trial.number]
            taken = [other for other in others if other is not None]
            settings = self.chooser.choose(taken, self.study, frozen, self.sampler)
            if settings is not None:
                trial.set_user_attr("settings", settings)
        return settings

    def _write_down(self, trial: optuna.Trial, settings: Settings) -> None:
        """Let Optuna know a trial's settings, as far as they lie in the space: outside there is nothing to learn."""
        self.sampler.planned = settings
        for key, value in settings.items():
            dimension = self.space.dimensions[key]
            if value not in dimension:
                continue
            if not isinstance(dimension, Range):
                trial.suggest_categorical(key, dimension.values)
            elif dimension.whole:
                trial.suggest_int(key, int(dimension.low), int(dimension.high), log=dimension.log)
            else:
                trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)
        self.sampler.planned = {}

    def _start(self, number: int) -> None:
        trial = self._on[number]
        try:
            recipe = applied(self.space.recipe, trial.user_attrs["settings"])
        except HangtagError as error:
            self._fail(number, error.message)
            return
        self.trainers.start(number, recipe, data=self.data, out=self._place(number), device=self.device)

    def _hear(self, number: int, said: dict[str, Any]) -> None:
        if number not in self._on:
            return
        trial, now = self._on[number], self._now[number]
        if "step" in said:
            now.done = said["step"] / max(1, said["steps"])
            return
        if self.storage.get_trial(trial._trial_id).state.is_finished():  # this machine slept through its heartbeats
            self.watch.message(f"trial {number} was given to another process meanwhile: what it brings here is dropped")
            self.trainers.stop(number, "prune")
            self._forget(number)
        elif "epoch" in said:
            now.epoch, now.epochs, now.val_accuracy = said["epoch"], said["epochs"], said["val_accuracy"]
            now.done = now.epoch / now.epochs
            self._report(trial, now)
        elif "done" in said:
            self._tell(trial, said["done"]["val_accuracy"], said["done"]["seconds"])
            self._forget(number)
        elif "failed" in said:
            self._fail(number, said["failed"])
        elif said.get("stopped") == "prune":
            self._prune(number)
        elif "died" in said:
            self._deaths[number] = self._deaths.get(number, 0) + 1
            if self._deaths[number] >= _DEATHS:
                self._fail(number, f"its process died {_DEATHS} times{_how(said['died'])}")
        self._look(anew=True)

    def _report(self, trial: optuna.Trial, now: Now) -> None:
        """Tell the pruner how a trial does after this epoch, or this part of its run where epochs differ in number."""
        if not self.prune or now.val_accuracy is None:
            return
        step = round(now.done * _PARTS) if self._differ else now.epoch
        if step not in self.storage.get_trial(trial._trial_id).intermediate_values:
            trial.report(now.val_accuracy, step)
        if now.epoch < now.epochs and trial.should_prune():
            self.trainers.stop(trial.number, "prune")

    @property
    def _differ(self) -> bool:
        """Whether trials differ in their number of epochs."""
        return "epochs" in self.space.dimensions

    def _tell(self, trial: optuna.Trial, accuracy: float, seconds: float) -> None:
        trial.set_user_attr("reached", {"val_accuracy": accuracy, "seconds": seconds})
        self.study.tell(trial, accuracy if self.objective == "accuracy" else (accuracy, seconds))
        self._finished += 1

    def _fail(self, number: int, line: str) -> None:
        import optuna

        self._on[number].set_user_attr("error", line)
        self.study.tell(self._on[number], state=optuna.trial.TrialState.FAIL)
        self._forget(number)
        self.watch.message(f"trial {number} failed: {line}")

    def _prune(self, number: int) -> None:
        import optuna

        self.study.tell(self._on[number], state=optuna.trial.TrialState.PRUNED)
        self._finished += 1
        self._forget(number)

    def _forget(self, number: int) -> None:
        """A trial is over. Folders stay of the best and of the front alone."""
        del self._on[number], self._now[number]
        self._deaths.pop(number, None)
        known = self.trials()
        kept = {trial.number for trial in [*judging.front(known), *filter(None, [self.best(known), self.start(known)])]}
        for folder in (self.folder / "trials").glob("*"):
            if not folder.name.isdecimal():  # a file manager's
                continue
            at = int(folder.name)
            if at not in kept | self._on.keys():
                shutil.rmtree(folder, ignore_errors=True)
            elif at not in self._on:
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)

    def _save(self) -> None:
        """Have every running trial written down; a second Ctrl-C leaves them at their last checkpoints."""
        self.watch.message("stopping: trials are being saved")
        for number in self.trainers.busy:
            self.trainers.stop(number, "save")
        until = time.monotonic() + _SAVE_S
        while self.trainers.busy and time.monotonic() < until:
            for number, said in self.trainers.heard(0.25):
                if said.keys() & {"done", "failed"} or said.get("stopped") == "prune":
                    self._hear(number, said)

    def _beat(self) -> None:
        """Give signs of life for the trials that run here; take over those of processes that give none."""
        import optuna

        if time.monotonic() - self._beaten < storages.HEARTBEAT_S:
            return
        self._beaten = time.monotonic()
        nameless = [
            frozen._trial_id
            for frozen in self._look()
            if _state(frozen) == "running" and "by" not in frozen.user_attrs and frozen._trial_id not in self._vouched
        ]
        self._vouched.update(nameless)  # its process died as it began: one sign of life, and it goes stale like others
        for trial_id in [*nameless, *(trial._trial_id for trial in self._on.values())]:
            self.storage.record_heartbeat(trial_id)
        optuna.storages.fail_stale_trials(self.study)

    def _look(self, *, anew: bool = False) -> list[FrozenTrial]:
        """What the storage has."""
        if anew or time.monotonic() - self._looked > _LOOK_S:
            self._looked = time.monotonic()
            self._known = self.study.get_trials(deepcopy=False)
        return self._known

    def _elsewhere(self) -> bool:
        """Whether others still work at the study, or a trial was handed back."""
        return any(_state(trial) in ("running", "waiting") for trial in self._look())

    def _place(self, number: int) -> Path:
        return self.folder / "trials" / f"{number:04}"

    def _standing(self) -> Standing:
        known = [_trial(frozen) for frozen in self._look() if _state(frozen) not in ("waiting", "surplus")]
        return Standing(
            trials=known,
            now=dict(self._now),
            wanted=self.wanted,
            eta_s=self._eta(known),
            start=self.start(known),
            best=self.best(known),
        )

    def _eta(self, known: list[Trial]) -> float | None:
        spent = time.monotonic() - self._began
        worked = self._finished + sum(now.done for now in self._now.values())
        if self.wanted is None or worked < 0.1:
            return None
        over = sum(trial.state in ("complete", "pruned", "failed") for trial in known)
        left = self.wanted - over - sum(now.done for now in self._now.values())
        return max(0.0, spent / worked * left)


def _how(status: int) -> str:
    if status == -9:
        return " (killed, as the system does when memory runs out)"
    return f" (signal {-status})" if status < 0 else f" (exit {status})"


def _state(frozen: FrozenTrial) -> State | str:
    name = frozen.state.name.lower()
    if name == "fail":
        return "surplus" if "surplus" in frozen.user_attrs else "failed" if "error" in frozen.user_attrs else "lost"
    return name


def _counts(frozen: FrozenTrial) -> bool:
    """Whether it is one of the trials that were asked for, and not another go at one."""
    return _state(frozen) != "surplus" and "failed_trial" not in frozen.system_attrs


def _trial(frozen: FrozenTrial) -> Trial:
    attributes, state = frozen.user_attrs, cast(State, _state(frozen))
    reached = attributes.get("reached", {})
    accuracy = reached.get("val_accuracy")
    if state == "complete" and not {"val_accuracy", "seconds"} <= reached.keys():
        raise HangtagError(
            "run_damaged",
            f"trial {frozen.number} of the study lacks what it reached: another program, or a version before this one, "
            f"wrote it: choose another --out or --study",
        )
    if accuracy is None and frozen.intermediate_values:
        accuracy = frozen.intermediate_values[max(frozen.intermediate_values)]
    return Trial(
        number=frozen.number,
        state=state,
        settings=attributes.get("settings", {}),
        val_accuracy=accuracy,
        seconds=reached.get("seconds"),
        error=attributes.get("error"),
        same_as=attributes.get("same_as"),
    )
