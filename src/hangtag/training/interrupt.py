"""Ctrl-C and SIGTERM, twice: the first asks the run to save and stop at the end of its step, the second ends it now."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Stop:
    """Says whether someone asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False


@contextlib.contextmanager
def listening() -> Iterator[Stop]:
    """Catch the first SIGINT or SIGTERM in a `Stop`; a second one raises `KeyboardInterrupt` wherever the run is.

    Outside the main thread signals cannot be caught; there a run is stopped by its caller.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt  # what is on disk is whole at any moment, so any moment will do
        stop.requested = True

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not Python's
