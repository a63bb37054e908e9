"""Processes that train, seen from the one that asks: started when first needed, started again when one dies."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hangtag.core.errors import writing_to
from hangtag.core.recipe import Recipe, to_dict

_MODULE = "hangtag.study.trainer"
_LEAVE_S = 20.0  # a trainer told to go is waited for so long


class Trainers:
    """A number of processes, each at one run at most. What they say is read from all of them in one place.

    Args:
        count: how many, 1 or more; the machine's threads are divided among them.
        log: file for whatever libraries print in them.
    """

    def __init__(self, count: int, log: Path) -> None:
        self._said: queue.SimpleQueue[tuple[_Process, dict[str, Any]]] = queue.SimpleQueue()
        self._log = log
        self._threads = max(1, _threads() // count) if count > 1 else None
        self._idle: list[_Process | None] = [None] * count  # None: not yet started
        self._at: dict[_Process, int] = {}  # at which run each is

    @property
    def free(self) -> int:
        """How many runs could be started now."""
        return len(self._idle)

    @property
    def busy(self) -> list[int]:
        """Numbers of the runs that are on."""
        return list(self._at.values())

    def start(self, number: int, recipe: Recipe, *, data: str | None, out: Path, device: str) -> None:
        """Train `recipe` in folder `out`, as run `number`; there must be a free trainer."""
        process = self._idle.pop() or _Process(self._said, self._log, self._threads)
        self._at[process] = number
        process.order({"recipe": to_dict(recipe), "data": data, "out": str(out), "device": device})

    def stop(self, number: int, how: str) -> None:
        """End a run: "save" it, to go on another time, or "prune" it. Its answer may come first."""
        for process, at in self._at.items():
            if at == number:
                process.order({"stop": how})

    def heard(self, wait_s: float) -> Iterator[tuple[int, dict[str, Any]]]:
        """What was said since, of which run: see `trainer.py`. {"died": exit status} if a trainer ended unasked."""
        with contextlib.suppress(queue.Empty):
            said = self._said.get(timeout=wait_s)
            while True:
                yield from self._sorted(*said)
                said = self._said.get_nowait()

    def _sorted(self, process: _Process, said: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        if process not in self._at:  # it said it was ready, or died of boredom
            if "died" in said and process in self._idle:
                self._idle[self._idle.index(process)] = None
            return
        number = self._at[process]
        if said.keys() & {"done", "failed", "stopped", "died"}:
            del self._at[process]
            self._idle.append(None if "died" in said else process)
        yield number, said

    def close(self) -> None:
        """Send all away; a run that is on is left as its last checkpoint has it."""
        for process in [*self._at, *filter(None, self._idle)]:
            process.close()
        self._idle, self._at = [], {}


class _Process:
    """One trainer and the thread that listens to it."""

    def __init__(
        self, said: queue.SimpleQueue[tuple[_Process, dict[str, Any]]], log: Path, threads: int | None
    ) -> None:
        home = str(Path(__file__).resolve().parents[2])  # found by the child wherever the parent found us
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        limit = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
        with writing_to(log), log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env={**os.environ, **limit, "PYTHONPATH": path, "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C is for the one that asks; it tells its trainers what to do
            )
        self._said = said
        threading.Thread(target=self._listen, daemon=True).start()

    def order(self, what: dict[str, Any]) -> None:
        """Say something to it; one that is dead is heard of soon enough."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Let it go, and see that it went."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # the last line of one that was killed while it spoke
                    self._said.put((self, json.loads(line)))
        status = self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what it can no longer be told
            self._process.stdin.close()
        self._said.put((self, {"died": status}))


def _threads() -> int:
    """How many threads this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
