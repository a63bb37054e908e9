"""Asking a worker for one task, and hearing how it goes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hangtag.core.errors import HangtagError, writing_to

Told = dict[str, Any]
"""One of `{"step", "steps", "epoch", "epochs", "eta_s"}`, `{"what", "done", "total"}`, `{"message"}`."""


def ask(task: str, arguments: dict[str, Any], log: Path, hear: Callable[[Told], None] = lambda told: None) -> Any:
    """What the task returns.

    Args:
        task: a function of `hangtag.study` as "module:function"; it takes `arguments` and a `watch`.
        arguments: plain JSON types.
        log: a file that what the process writes to standard error is added to.
        hear: called with what it tells.

    Raises:
        HangtagError: the one the task ended with; `training_failed` if the process ended without a word.
        KeyboardInterrupt: on Ctrl-C, after the task has saved what it had; a second one ends it at once.
    """
    with writing_to(log), _started(task, arguments, log) as process:
        assert process.stdout is not None
        last: Told = {}
        interrupted = False
        while True:
            try:
                for line in process.stdout:
                    try:
                        last = json.loads(line)
                    except ValueError:  # it was killed while it spoke
                        continue
                    if not last.keys() & {"result", "error", "stopped"}:
                        hear(last)
                status = process.wait()
                break
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                assert process.stdin is not None
                process.stdin.close()  # the worker takes that for Ctrl-C, and saves
                hear({"message": "stopping: the run saves first; Ctrl-C again ends it at once"})
    if interrupted or "stopped" in last:
        raise KeyboardInterrupt(last.get("stopped") or "stopped: the same command goes on from there")
    if "result" in last:
        return last["result"]
    if "error" in last:
        raise HangtagError(last["error"]["code"], last["error"]["message"])
    raise HangtagError("training_failed", f"its process ended {_how(status)} without a word: {log} may tell why")


@contextlib.contextmanager
def _started(task: str, arguments: dict[str, Any], log: Path) -> Iterator[subprocess.Popen[str]]:
    """The worker, in a session of its own: Ctrl-C at a terminal reaches us alone, and we pass it on once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hangtag.study.worker"],  # -P: no module of the current folder is ours
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"task": task, "arguments": arguments}) + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _how(status: int) -> str:
    if status == -9:
        return "by force, as the system does when memory runs out,"
    return f"with {'signal' if status < 0 else 'status'} {abs(status)}"
