"""A process that does one task of a study, so that its memory is its own and its end is nobody else's.

`python -m hangtag.study.worker` reads `{"task", "arguments"}` from the first line of standard input: the task is a
function of `hangtag.study`, "judged_run:train", say. What it tells goes to standard output, a line of JSON each. When
standard input ends, whoever asked is gone or wants it to stop: it is interrupted as by Ctrl-C.
"""

from __future__ import annotations

import _thread
import contextlib
import importlib
import json
import os
import signal
import sys
import threading
import time
from typing import IO, Any

from hangtag.core.errors import INTERRUPTED, HangtagError
from hangtag.watch import Watch

_BETWEEN_S = 0.1  # two lines on how far it is


def main() -> int:
    """Do the task, tell `{"result": ...}` or `{"error": {"code", "message"}}`, and return the exit status."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what libraries print is no message of ours
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the study may have had it ignored
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=interrupted_with, args=(sys.stdin,), daemon=True).start()

    def tell(**line: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # whoever asked was killed: the task still has to save
            out.write(json.dumps(line) + "\n")

    module, _, name = job["task"].partition(":")
    try:
        task = getattr(importlib.import_module(f"hangtag.study.{module}"), name)
        tell(result=task(**job["arguments"], watch=_watch(tell)))
        return 0
    except KeyboardInterrupt as stopped:
        tell(stopped=str(stopped))
        return INTERRUPTED
    except HangtagError as error:
        tell(error=error.to_dict())
        return error.exit_status
    except MemoryError:
        tell(error={"code": "training_out_of_memory", "message": "out of memory: a smaller batch_size needs less"})
    except Exception as error:
        import traceback

        traceback.print_exc()  # into the run's log
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        tell(error={"code": "internal_error", "message": f"unexpected {text}"})
    return 1


def interrupted_with(stdin: IO[str]) -> None:
    """Wait for the end of standard input, then interrupt the main thread as Ctrl-C does."""
    while stdin.read(1):
        pass
    if hasattr(signal, "pthread_kill"):  # wakes the main thread even from a wait
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _watch(tell: Any) -> Watch:
    told_at = 0.0

    def progress(now: Any) -> None:
        nonlocal told_at
        if now.epoch_ended or time.perf_counter() - told_at > _BETWEEN_S:
            told_at = time.perf_counter()
            tell(step=now.step, steps=now.steps, epoch=now.epoch, epochs=now.epochs, eta_s=now.eta_s)

    def reading(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if done >= total or time.perf_counter() - told_at > _BETWEEN_S:
            told_at = time.perf_counter()
            tell(what=what, done=done, total=total)

    return Watch(message=lambda text: tell(message=text), reading=reading, progress=progress)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # at once: a thread that still computes, or waits for input, has nothing to say
