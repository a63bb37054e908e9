"""A deadline for models: a graph may loop for ever, and so may its optimisation, deep inside a library.

What a model is asked runs in a thread of its own, so that whoever asked can stop waiting. ONNX Runtime ends a run when
it is told to; what does not end is left behind. A deadline has passed when the seconds have gone by and this process
has also had so many seconds of processors, so that a busy or sleeping machine costs no honest model its answer; or, for
what waits and never works, when `STUCK` times the seconds have gone by, of which those in which the machine or this
process stood still do not count.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from hangtag.core.errors import HangtagError

FIRST_S, A_MEGABYTE_S = 10.0, 0.1  # what people run on processors opens in that time, and answers in a tenth of it
AN_IMAGE_S = 1.0  # more for each image, before the first answer; then `SLACK` times what the last answer took
SLACK = 10.0
STUCK = 10.0
GRACE_S = 2.0  # for what was told to end
T = TypeVar("T")


class Deadline:
    """How long a model may take; it follows from the model's own answers.

    Args:
        name: the model, in the error.
        size: bytes of its file: who has more weights may take longer.
    """

    def __init__(self, name: str, size: int = 0) -> None:
        self.name = name
        self.size = size
        self.an_image_s: float | None = None
        self._left_behind: _Run[Any] | None = None

    def answer(self, work: Callable[[], T], stop: Callable[[], None], images: int) -> T:
        """What `work` returns.

        Args:
            work: asks the model.
            stop: makes `work` end, if anything can; called from another thread.
            images: how many the model is asked about.

        Raises:
            HangtagError: `bundle_timeout`. What `work` raises is raised.
        """
        if self._left_behind is not None and not self._left_behind.done.is_set():
            raise HangtagError("bundle_timeout", f"{self.name} has not ended what it gave no answer to: {_CURE}")
        each = AN_IMAGE_S if self.an_image_s is None else SLACK * self.an_image_s
        run = _Run(work, stop)
        try:
            found = run.wait(self._least_s + each * images, f"{self.name} gives no answer")
        except BaseException:
            self._left_behind = run
            raise
        self.an_image_s = max(run.elapsed()) / max(1, images)
        return found

    def opened(self, work: Callable[[], T], stop: Callable[[], None]) -> T:
        """What `work`, which opens the model, returns. Raises as `answer` does."""
        return _Run(work, stop).wait(self._least_s, f"{self.name} does not open")

    @property
    def _least_s(self) -> float:
        return FIRST_S + A_MEGABYTE_S * self.size / 1e6


class _Run(Generic[T]):
    """Work under way in a thread of its own."""

    def __init__(self, work: Callable[[], T], stop: Callable[[], None]) -> None:
        self.work, self.stop = work, stop
        self.done = threading.Event()
        self.abandoned = False
        self.result: T
        self.error: BaseException | None = None
        self.began = (time.monotonic(), time.process_time())

    def elapsed(self) -> tuple[float, float]:
        """Seconds of the clock, and of processors."""
        return time.monotonic() - self.began[0], time.process_time() - self.began[1]

    def wait(self, limit_s: float, failure: str) -> T:
        """The result, unless the deadline passes first."""
        _under_way.add(self)
        (_idle.pop() if _idle else _Worker()).runs.put(self)
        checks = 0  # half seconds in which whoever waits was awake
        try:
            while not self.done.wait(_CHECK_S):
                checks += 1
                if self.abandoned or min(self.elapsed()) > limit_s or checks * _CHECK_S > STUCK * limit_s:
                    raise HangtagError("bundle_timeout", f"{failure} in {limit_s:.0f} s of processor time: {_CURE}")
        except BaseException:  # Ctrl-C among them
            self._give_up()
            raise
        finally:
            _under_way.discard(self)
        if self.error is not None:
            raise self.error
        return self.result

    def _give_up(self) -> None:
        _stuck.add(self)
        self.stop()
        if self.done.wait(GRACE_S):
            _stuck.discard(self)


class _Worker(threading.Thread):
    """A thread that does run after run: it is kept, because a run may take less time than the start of a thread."""

    def __init__(self) -> None:
        super().__init__(name="hangtag-model", daemon=True)
        self.runs: queue.SimpleQueue[_Run[Any]] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        """Work until the process ends."""
        while True:
            run = self.runs.get()
            try:
                run.result = run.work()
            except BaseException as error:
                run.error = error
            _idle.append(self)
            run.done.set()
            _stuck.discard(run)
            del run  # and with it all that it holds


_CHECK_S = 0.5
_CURE = "its graph seems to have no end; use another bundle, or train it again"
_idle: list[_Worker] = []
_under_way: set[_Run[Any]] = set()
_stuck: set[_Run[Any]] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads stay behind


def stuck() -> bool:
    """Whether a model was given up and has not ended yet: then only force ends the process."""
    return bool(_stuck)


def abandon_all() -> None:
    """Let everybody go who waits for a model: the process is ending."""
    for run in list(_under_way):
        run.abandoned = True
