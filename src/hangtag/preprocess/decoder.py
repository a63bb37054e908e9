"""`decode` and `convert` in a child process, so that a picture that crashes or hangs the decoder costs that picture
only.

The child has a ceiling on memory and on processor time (where the platform has such), no way to run longer than the
parent's patience, and nothing of the parent's but the picture. It starts while the parent is still loading its model.
This module is both ends: importing it is light, running it (`python -m hangtag.preprocess.decoder`) is the child.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hangtag.core.errors import HangtagError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIMEOUT_S = 10.0  # the largest pictures accepted took 2 s
START_S = 30.0  # importing NumPy and Pillow from a cold disk
MEMORY = 1_200_000_000  # bytes of address space; the largest pictures accepted were seen to need 750 million
_REQUEST = struct.Struct("<IBI")  # size, options, bytes of content
_REPLY = struct.Struct("<II")  # bytes of JSON, bytes of pixels
_COLOUR, _LIGHT, _CHECK = 1, 2, 4  # options: see `Decoder.read`
_READY = b"!"
_MODULE = "hangtag.preprocess.decoder"


class Decoder:
    """Decodes pictures in child processes, started when first needed. Any number of threads may share one.

    Args:
        workers: the most children at a time; by default one per core, at most 4.
        timeout_s: seconds one picture may take.
    """

    def __init__(self, workers: int | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.workers = workers or min(4, os.cpu_count() or 1)
        self.timeout_s = timeout_s
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._turns = threading.BoundedSemaphore(self.workers)
        self._owner = os.getpid()

    def start(self) -> None:
        """Start the first child without waiting for it."""
        if self._idle.empty():
            self._idle.put(_Child())

    def convert(self, content: bytes, size: int, colour: bool) -> NDArray[np.uint8]:
        """`read` without the number of frames."""
        return self.read(content, size, colour)[0]

    def read(
        self, content: bytes, size: int, colour: bool, light: bool = False, check: bool = False
    ) -> tuple[NDArray[np.uint8], int]:
        """A picture file's content as a model's input (see `preprocess.photo.convert`), and how many frames of an
        animation were ignored. With `check`, a picture of nothing is refused (`preprocess.photo.check_content`).

        Raises:
            HangtagError: `image_*`; `image_decoder_failed` if the child crashed, hung or ran out of memory;
                `internal_decoder` if no child can be started.
        """
        options = _COLOUR * colour | _LIGHT * light | _CHECK * check
        with self._turns:
            for attempt in (1, 2):  # once more on a fresh child: the first may have died of something else
                child = self._take() if attempt == 1 else _Child()
                try:
                    answer, pixels = child.ask(content, size, options, self.timeout_s)
                except _DiedError as death:
                    if not child.ready and (child.hung or attempt == 2):
                        cure = f"run `{Path(sys.executable).name} -m {_MODULE}` to see why"
                        raise HangtagError("internal_decoder", f"the picture decoder does not start: {cure}") from death
                    if child.hung or attempt == 2:
                        raise HangtagError("image_decoder_failed", f"the picture's decoder {death}") from death
                except BaseException:  # interrupted half-way: what the child would say next belongs to nobody
                    child.kill()
                    raise
                else:
                    if child.hung:  # patience ended as the answer came
                        child.kill()
                    else:
                        self._idle.put(child)
                    break
        if "code" in answer:
            raise HangtagError(str(answer["code"]), str(answer["message"]))
        import numpy as np

        shape = (size, size, 3) if colour else (size, size)
        return np.frombuffer(pixels, np.uint8).reshape(shape), int(answer["frames_ignored"])

    def close(self) -> None:
        """End the children that are idle; the decoder stays usable."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().kill()

    def _take(self) -> _Child:
        if self._owner != os.getpid():  # forked: the children we know are our parent's
            self._idle, self._owner = queue.LifoQueue(), os.getpid()
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return _Child()


@functools.cache
def shared() -> Decoder:
    """The process's own decoder."""
    decoder = Decoder()
    atexit.register(decoder.close)
    return decoder


class _DiedError(Exception):
    """The child ended, or was ended, without an answer."""


class _Child:
    """One child process, asked one picture at a time."""

    def __init__(self) -> None:
        home = str(Path(__file__).resolve().parents[2])  # found by the child wherever the parent found us
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],  # -P: the current folder's numpy.py is not NumPy
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise HangtagError("internal_decoder", f"the picture decoder does not start: {error}") from error
        self.ready = False
        self.hung = False

    def ask(self, content: bytes, size: int, options: int, timeout_s: float) -> tuple[dict[str, Any], bytes]:
        """One picture's answer; the child is dead if there is none."""
        try:
            if not self.ready:
                self._await_start()
            with self._patience(timeout_s):
                return self._ask(content, size, options)
        except (OSError, ValueError) as error:  # a broken pipe, or an answer that is none
            self.kill()
            raise _DiedError("took too long" if self.hung else "crashed") from error

    def _await_start(self) -> None:
        assert self.process.stdout is not None
        with self._patience(START_S):
            self.ready = self.process.stdout.read(1) == _READY
        if not self.ready:
            self.kill()
            raise _DiedError("did not start")

    def _ask(self, content: bytes, size: int, options: int) -> tuple[dict[str, Any], bytes]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(_REQUEST.pack(size, options, len(content)))
        stdin.write(content)
        stdin.flush()
        text, pixels = _REPLY.unpack(_exactly(stdout, _REPLY.size))
        expected = size * size * (3 if options & _COLOUR else 1)
        if text > 10_000 or pixels not in (0, expected):  # a child taken over could lie
            raise ValueError("no answer of ours")
        answer = json.loads(_exactly(stdout, text))
        if not isinstance(answer, dict) or answer.keys() != ({"frames_ignored"} if pixels else {"code", "message"}):
            raise ValueError("no answer of ours")
        return answer, _exactly(stdout, pixels)

    @contextlib.contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        watch = threading.Timer(seconds, self._lose_patience)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _lose_patience(self) -> None:
        self.hung = True
        self.process.kill()

    def kill(self) -> None:
        """End it; it holds nothing worth saving."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unsent bytes of a picture
                    pipe.close()
        self.process.wait()


def _exactly(stream: BinaryIO | Any, count: int) -> bytes:
    content: bytes = stream.read(count)
    if len(content) != count:
        raise ValueError("the stream ended")
    return content


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """The child: answer requests until the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle

    from hangtag.preprocess.decode import decode
    from hangtag.preprocess.photo import ENOUGH, check_content, convert

    _limit_memory()
    replies.write(_READY)
    replies.flush()
    while header := requests.read(_REQUEST.size):
        size, options, length = _REQUEST.unpack(header)
        content = _exactly(requests, length)
        _limit_time()
        try:
            picture = decode(content, enough=ENOUGH * size)
            if options & _CHECK:
                check_content(picture)
            pixels = convert(picture, size, bool(options & _COLOUR), bool(options & _LIGHT)).tobytes()
            text = json.dumps({"frames_ignored": picture.frames_ignored}).encode()
        except HangtagError as error:
            pixels, text = b"", json.dumps(error.to_dict()).encode()
        except MemoryError:
            pixels, text = b"", json.dumps({"code": "image_decoder_failed", "message": "memory ran out"}).encode()
        replies.write(_REPLY.pack(len(text), len(pixels)) + text + pixels)
        replies.flush()


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has none; macOS ignores or refuses it
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


def _limit_time() -> None:
    """A ceiling for the next picture, should the parent die before its patience ends."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + 2 * TIMEOUT_S) + 1, hard))


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
