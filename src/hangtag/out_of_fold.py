"""What pictures look like to networks that have not learnt from them, for every picture of a set.

The pictures are dealt into folds; each fold is judged by a quick network that has learnt from the others. Each finished
fold is kept, and an unfinished one goes on from its checkpoint, so the same call with the same folder goes on.
"""

from __future__ import annotations

import io
import math
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hangtag import recipes
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, sweep, write_file
from hangtag.core.optional import require
from hangtag.core.recipe import NetworkRecipe, fingerprint, to_dict
from hangtag.core.types import Labels, Probabilities, Split
from hangtag.watch import clock as duration

if TYPE_CHECKING:
    from hangtag.training.interrupt import Stop
    from hangtag.training.loop import Progress

STEPS = 177  # of one network: three epochs of half of Fashion-MNIST; half a minute for both halves on two cores
MANY = 20_000  # pictures, half of which teach enough; where there are fewer, four fifths do
_TIMED = 6  # steps, to tell how long it will take
_JUDGED = 1024  # pictures at a time


def out_of_fold(
    split: Split,
    folder: Path,
    *,
    unseen: Split | None = None,
    device: str = "auto",
    message: Callable[[str], None] = lambda text: None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[Probabilities, Probabilities]:
    """Probabilities of every picture by a network that has not learnt from it.

    Args:
        split: N pictures, two or more of each class that has any.
        folder: where finished folds and checkpoints are kept, in a folder of their own.
        unseen: M pictures to be judged besides, by the mean of all networks.
        device: "auto", "cpu", "cuda" or "mps".
        message: told beforehand how long it takes.
        progress: told (what, done, in all) as it goes.

    Returns:
        (N, K) for `split`, (M, K) for `unseen`.

    Raises:
        HangtagError: `data_count` for a class of one picture; `extra_missing` without torch; what training raises.
        KeyboardInterrupt: on Ctrl-C or SIGTERM; the same call goes on from there.
    """
    for package in ("torch", "safetensors"):
        require(package, extra="train")
    from hangtag.training import interrupt

    if lonely := [name for name, count in split.counts().items() if count == 1]:
        raise HangtagError(
            "data_count", f"{lonely[0]!r} has one picture: from none, no network can learn what it looks like; add some"
        )
    count = 2 if len(split) >= MANY else 5
    fold_of = folds(split.labels, count)
    recipe = _recipe(split, count)
    settings = {"recipe": to_dict(recipe), "data": split.digest(), "unseen": unseen and unseen.digest(), "folds": count}
    folder = folder / f"out-of-fold-{fingerprint(settings)}"
    answers = np.zeros((len(split), len(split.class_names)), np.float32)
    others = np.zeros((0 if unseen is None else len(unseen), len(split.class_names)), np.float32)
    shape_of = [(int((fold_of == k).sum()) + len(others), len(split.class_names)) for k in range(count)]
    with owning(folder, "run_busy", f"another process is at work in {folder}: wait for it, or choose another --out"):
        sweep(folder, owned=True)
        todo = sum(_read(folder / f"fold-{k}.npy", shape_of[k]) is None for k in range(count))
        with interrupt.listening() as stop:
            if todo:
                sample = split.take(np.flatnonzero(fold_of != 0))
                judged = len(split) - len(sample) + len(others)
                seconds = todo * _seconds(recipe, sample, judged, device, stop)
                what = "network" if todo == 1 else "networks"
                message(
                    f"{todo} quick {what} to train: about {duration(seconds)}; Ctrl-C saves, the same command goes on"
                )
            for k in range(count):
                path, members = folder / f"fold-{k}.npy", np.flatnonzero(fold_of == k)
                found = _read(path, shape_of[k])
                if found is None:
                    pictures = split.images[members]
                    if unseen is not None:
                        pictures = np.concatenate([pictures, unseen.images])

                    def watch(now: Progress, what: str = f"network {k + 1} of {count}") -> None:
                        progress(what, now.step, now.steps)

                    training = split.take(np.flatnonzero(fold_of != k))
                    network = _trained(recipe, training, folder / f"fold-{k}", device, stop, watch)
                    found = network(pictures)
                    file = io.BytesIO()
                    np.save(file, found, allow_pickle=False)
                    write_file(path, file.getvalue())
                    shutil.rmtree(folder / f"fold-{k}", ignore_errors=True)
                    if stop.requested:  # after the last step
                        raise KeyboardInterrupt("stopped, the network's answers saved: the same command goes on")
                answers[members] = found[: len(members)]
                others += found[len(members) :] / count
    return answers, others


def folds(labels: Labels, count: int) -> NDArray[np.int64]:
    """(N,) which fold each picture is in, 0..count-1: each class is dealt out evenly, alike on every platform."""
    found = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.argsort(np.random.Philox(key=[0, int(label)]).random_raw(len(members)), kind="stable")
        found[members[order]] = (np.arange(len(members)) + label) % count
    return found


def _recipe(split: Split, count: int) -> NetworkRecipe:
    """`minutes`, for as many epochs as make STEPS: label errors do not need its last point of accuracy."""
    recipe = recipes.create("minutes")
    assert isinstance(recipe, NetworkRecipe)
    steps = math.ceil(len(split) * (count - 1) / count / recipe.batch_size)
    return replace(
        recipe,
        name="out_of_fold",
        size=split.images.shape[1],
        colour=split.images.ndim == 4,
        prune=0.0,  # a wrong label is never easy: left to weigh more, it would be learnt sooner
        epochs=math.ceil(STEPS / steps),
    )


def _trained(
    recipe: NetworkRecipe,
    training: Split,
    checkpoints: Path,
    device_name: str,
    stop: Stop,
    watch: Callable[[Progress], None],
) -> Callable[[NDArray[np.uint8]], Probabilities]:
    from hangtag import models
    from hangtag.predict.torch import TorchPredictor
    from hangtag.training import machine
    from hangtag.training.loop import fit

    device = machine.choose_device(device_name)
    precision = machine.choose_precision(
        recipe.precision, models.register.facts(recipe.model.name).get("precision"), device
    )
    started = time.perf_counter()
    fitted = fit(
        recipe,
        training,
        None,
        device=device,
        precision=precision,
        checkpoints=checkpoints,
        stop=stop,
        clock=lambda: time.perf_counter() - started,
        watch=watch,
    )
    return TorchPredictor(fitted.deployed, training.class_names).predict_proba


def _seconds(recipe: NetworkRecipe, training: Split, judged: int, device: str, stop: Stop) -> float:
    """How long one network will take: some steps and judgements are timed; the first step, which prepares, is not."""
    few = training.take(np.arange(min(len(training), _TIMED * recipe.batch_size)))
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        brief = replace(recipe, epochs=math.ceil(_TIMED * recipe.batch_size / len(few)))
        network = _trained(brief, few, Path(folder), device, stop, lambda now: times.append(time.perf_counter()))
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    started = time.perf_counter()
    network(few.images[:_JUDGED])
    judging = (time.perf_counter() - started) / min(len(few), _JUDGED)
    return step * recipe.epochs * math.ceil(len(training) / recipe.batch_size) + judging * judged


def _read(path: Path, shape: tuple[int, int]) -> Probabilities | None:
    """A finished fold; None where there is none, or a damaged one."""
    try:
        found: Probabilities = np.load(io.BytesIO(read_regular(path, -1)), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None
