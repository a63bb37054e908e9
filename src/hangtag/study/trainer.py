"""The process that trains: runs come in on standard input, one JSON line each; what becomes of them goes out.

In:   {"recipe", "data", "out", "device"} a run;  {"stop": "save"} end it, saved;  {"stop": "prune"} end it, for good.
Out:  {"ready"};  {"step", "steps", "eta_s"} now and then;  {"epoch", "epochs", "val_accuracy"} after each epoch; and at
      the end one of {"done": the Run}, {"failed": a line}, {"stopped": "save" or "prune"}.
A trainer whose starter has died ends at once: what is on disk is whole at any moment.
"""

from __future__ import annotations

import _thread
import contextlib
import dataclasses
import functools
import json
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from hangtag import data as datasets
from hangtag.core import recipe as recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import NetworkRecipe, Recipe
from hangtag.core.types import Dataset

if TYPE_CHECKING:
    from hangtag.training.loop import Progress

_FEW = 500  # pictures to warm up on
_TELL_S = 0.5  # between two lines on how far a run is
_BUSY_S = 10.0  # a trainer whose starter was killed lives a moment longer than that


class _PrunedError(Exception):
    """The run is not worth going on with."""


class _Trainer:
    def __init__(self, orders: TextIO, answers: TextIO) -> None:
        self._orders, self._answers = orders, answers
        self._runs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stop = ""  # what was asked of the run that is on
        self._at_work = False
        self._lock = threading.Lock()
        self._warm = False

    def serve(self) -> None:
        """Train what is asked for until nobody asks any more."""
        self._tell({"ready": True})
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            order = self._runs.get()
            try:
                with self._lock:
                    self._at_work = not self._stop
                answer = self._train(order) if self._at_work else {"stopped": self._stop}  # before it has begun
            except _PrunedError:
                answer = {"stopped": "prune"}
            except KeyboardInterrupt:
                answer = {"stopped": "save"}
            except HangtagError as error:
                answer = {"failed": error.message}
            except Exception as error:
                answer = {"failed": f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"}
            self._at_work = False
            self._tell(answer)

    def _listen(self) -> None:
        """Orders come at any moment; this thread hears them."""
        for line in self._orders:
            order = json.loads(line)
            if "stop" not in order:
                self._stop = ""
                self._runs.put(order)
                continue
            with self._lock:
                self._stop = order["stop"]
                heard = self._at_work
            if self._stop == "save" and heard:
                _thread.interrupt_main(signal.SIGINT)  # the run hears it as Ctrl-C, on Windows too
        os._exit(0)

    def _train(self, order: dict[str, Any]) -> dict[str, Any]:
        from hangtag import experiment
        from hangtag.watch import Watch

        told = time.perf_counter()

        def progress(now: Progress) -> None:
            nonlocal told
            if self._stop == "prune":
                raise _PrunedError
            if now.epoch_ended and now.last is not None:
                self._tell({"epoch": now.epoch, "epochs": now.epochs, "val_accuracy": now.last.val_accuracy})
            if time.perf_counter() - told > _TELL_S:
                told = time.perf_counter()
                self._tell({"step": now.step, "steps": now.steps, "eta_s": now.eta_s})

        recipe = recipes.from_dict(order["recipe"])
        dataset = _dataset(order["data"], recipe.data, recipe.size, recipe.colour)
        if not self._warm:
            self._warm = True
            _warm_up(recipe, dataset, order["device"])

        def run() -> experiment.Run:
            return experiment.run(
                recipe,
                data=dataset,
                out=Path(order["out"]),
                device=order["device"],
                watch=Watch(progress=progress),
            )

        return {"done": dataclasses.asdict(_once_free(run))}

    def _tell(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()


@functools.lru_cache(1)
def _dataset(data: str | None, name: str, size: int, colour: bool) -> Dataset:
    """The data, read once for all runs of a study: no run's time is that of reading."""
    found = datasets.find(data, name=name, size=size, colour=colour)
    training = found.training()
    found = dataclasses.replace(found, training=lambda: training)
    if found.validation is None:
        return found
    validation = found.validation()
    return dataclasses.replace(found, validation=lambda: validation)


def _warm_up(recipe: Recipe, dataset: Dataset, device: str) -> None:
    """Train on a few pictures: the first run, which is the start all others are compared with, would otherwise be
    charged for what PyTorch loads and makes ready once in a process (2 s, where a trial may take 4)."""
    import numpy as np

    from hangtag import experiment
    from hangtag.watch import Watch

    few = dataset.training().take(np.arange(min(len(dataset.training()), _FEW)))
    brief = dataclasses.replace(recipe, epochs=1) if isinstance(recipe, NetworkRecipe) else recipe
    given = dataclasses.replace(dataset, training=lambda: few, validation=None)
    with contextlib.suppress(HangtagError), tempfile.TemporaryDirectory() as folder:
        experiment.run(brief, data=given, out=Path(folder), device=device, watch=Watch())


def _once_free(run: Callable[[], Any]) -> Any:
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            return run()
        except HangtagError as error:
            if error.code != "run_busy" or time.monotonic() > until:
                raise
            time.sleep(0.1)


def main() -> None:
    """Serve on the standard streams; whatever libraries print goes to standard error."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a starter in the background may have had it ignored
    with contextlib.suppress(BrokenPipeError):
        answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        _Trainer(sys.stdin, answers).serve()


if __name__ == "__main__":
    main()
