"""`decode` and `convert` in a child process, so that a picture that crashes or hangs the decoder costs that picture
only.

The child has a ceiling on memory and on processor time (where the platform has such), and nothing of the parent's but
the image. An image is blamed for what its child does by itself: that it crashes, twice, or uses up its processor time.
A child that is killed from outside, or gets no processor time because the machine is busy or somebody stopped it, says
nothing about its image: another child is asked, and then the caller is told to try again.
It starts while the parent is still loading its model.
This module is both ends: importing it is light, running it (`python -m hangtag.preprocess.decoder`) is the child.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import functools
import importlib.util
import json
import math
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

TIMEOUT_S = 10.0  # of processor time; the largest pictures accepted took 2 s
START_S = 30.0  # importing NumPy and Pillow from a cold disk
PATIENCE = 6  # where a child's processor time is not known: so many times the seconds it may take
MEMORY = 1_200_000_000  # bytes of address space; the largest pictures accepted were seen to need 750 million
_REQUEST = struct.Struct("<IIBHI")  # size, of photos, options, seconds of processor time, bytes of content
_REPLY = struct.Struct("<II")  # bytes of JSON, bytes of pixels
_COLOUR, _LIGHT, _CHECK = 1, 2, 4  # options: see `Decoder.read`
_READY = b"!"
_MODULE = "hangtag.preprocess.decoder"
_SCARCE = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}  # no process can be started at the moment
_HAS_LIMITS = importlib.util.find_spec("resource") is not None
_FROM_OUTSIDE = {"SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"}  # a person, a service manager, the OOM killer


class Decoder:
    """Decodes pictures in child processes, started when first needed. Any number of threads may share one.

    Args:
        workers: the most children at a time; by default one per core, at most 4.
        timeout_s: seconds of processor time one image may take; also the seconds a child may go without any.
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
        self, content: bytes, size: int, colour: bool, light: bool = False, check: bool = False, photos: int = 0
    ) -> tuple[NDArray[np.uint8], int]:
        """A picture file's content as a model's input (see `preprocess.photo.convert`), and how many frames of an
        animation were ignored. With `check`, a picture of nothing is refused (`preprocess.photo.check_content`). With
        `photos`, all but images of Fashion-MNIST's kind become colour images of that size.

        Raises:
            HangtagError: `image_*`; `image_decoder_failed` if the image crashed two children, or used up one's time or
                memory; `decoder_busy` if children were killed from outside or got no processor time;
                `internal_decoder` if no child can be started.
        """
        options = _COLOUR * colour | _LIGHT * light | _CHECK * check
        with self._turns:
            answer, pixels = self._ask(content, size, photos, options)
        if "code" in answer:
            raise HangtagError(str(answer["code"]), str(answer["message"]))
        import numpy as np

        shape = (size, size, 3) if colour else (size, size)
        if len(pixels) != np.prod(shape):
            shape = (photos, photos, 3)
        return np.frombuffer(pixels, np.uint8).reshape(shape), int(answer["frames_ignored"])

    def _ask(self, content: bytes, size: int, photos: int, options: int) -> tuple[dict[str, Any], bytes]:
        """What a child says of an image: if one dies of it, what a fresh one says."""
        crashes = disturbances = 0
        while True:
            child = _Child() if crashes or disturbances else self._take()
            try:
                answer = child.ask(content, size, photos, options, self.timeout_s)
            except _DiedError as death:
                if death.used_up:
                    raise HangtagError("image_decoder_failed", "the image's decoder took too long") from death
                crashes += not death.from_outside
                disturbances += death.from_outside
                if disturbances == 2:
                    raise _busy(f"the image's decoder {death}") from death
                if crashes == 2 and not child.ready:
                    cure = f"run `{Path(sys.executable).name} -m {_MODULE}` to see why"
                    raise HangtagError("internal_decoder", f"the picture decoder does not start: {cure}") from death
                if crashes == 2:
                    raise HangtagError("image_decoder_failed", f"the image's decoder {death}") from death
            except BaseException:  # interrupted half-way: what the child would say next belongs to nobody
                child.kill()
                raise
            else:
                if child.hung:  # patience ended as the answer came
                    child.kill()
                else:
                    self._idle.put(child)
                return answer

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
    """The child ended, or was ended, without an answer.

    Args:
        what: what happened to it.
        from_outside: whether that was not its own doing, nor then its image's.
        used_up: whether it had used up its processor time.
    """

    def __init__(self, what: str, from_outside: bool = False, used_up: bool = False) -> None:
        super().__init__(what)
        self.from_outside = from_outside
        self.used_up = used_up


def _busy(what: str) -> HangtagError:
    return HangtagError("decoder_busy", f"{what}: the machine is too busy or short of memory; try again")


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
            if error.errno in _SCARCE:
                raise _busy(f"no decoder can be started ({error.strerror})") from error
            raise HangtagError("internal_decoder", f"the picture decoder does not start: {error}") from error
        self.ready = False
        self.hung = False

    def ask(
        self, content: bytes, size: int, photos: int, options: int, timeout_s: float
    ) -> tuple[dict[str, Any], bytes]:
        """One picture's answer; the child is dead if there is none."""
        try:
            if not self.ready:
                with self._patience(START_S):
                    self.ready = _exactly(self._stdout, 1) == _READY
            with self._patience(timeout_s):
                return self._ask(content, size, photos, options, timeout_s)
        except (OSError, ValueError) as error:  # a broken pipe, or an answer that is none
            raise self._autopsy() from error

    @property
    def _stdout(self) -> Any:
        return self.process.stdout

    def _autopsy(self) -> _DiedError:
        """End it if it lives, and say what it died of."""
        lied = not self._ends_by_itself()
        self.kill()
        if self.hung:
            if not _HAS_LIMITS:  # nor then a way to tell a slow image from a slow machine
                return _DiedError("took too long", used_up=True)
            return _DiedError("got no processor time", from_outside=True)
        name = signal.Signals(-self.process.returncode).name if self.process.returncode < 0 else ""
        if name == "SIGXCPU":
            return _DiedError("took too long", used_up=True)
        if name in _FROM_OUTSIDE and not lied:
            return _DiedError(f"was killed from outside ({name})", from_outside=True)
        return _DiedError("crashed")

    def _ends_by_itself(self) -> bool:
        """Whether it is dead: its end of the pipe may be closed a moment before."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        return self.process.returncode is not None

    def _ask(
        self, content: bytes, size: int, photos: int, options: int, timeout_s: float
    ) -> tuple[dict[str, Any], bytes]:
        stdin, stdout = self.process.stdin, self._stdout
        assert stdin is not None
        stdin.write(_REQUEST.pack(size, photos, options, math.ceil(timeout_s), len(content)))
        stdin.write(content)
        stdin.flush()
        text, pixels = _REPLY.unpack(_exactly(stdout, _REPLY.size))
        expected = size * size * (3 if options & _COLOUR else 1), photos * photos * 3
        if text > 10_000 or pixels not in (0, *expected):  # a child taken over could lie
            raise ValueError("no answer of ours")
        answer = json.loads(_exactly(stdout, text))
        if not isinstance(answer, dict) or answer.keys() != ({"frames_ignored"} if pixels else {"code", "message"}):
            raise ValueError("no answer of ours")
        return answer, _exactly(stdout, pixels)

    @contextlib.contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        """Kill the child if it gets no processor time for so long; what it may use of that is the child's own limit."""
        over = threading.Event()

        def watch() -> None:
            used = _ticks(self.process.pid)
            checks = 0
            while not over.wait(seconds):
                checks += 1
                before, used = used, _ticks(self.process.pid)
                if used == before if used is not None else checks >= (PATIENCE if _HAS_LIMITS else 1):
                    self._lose_patience()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()

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


def _ticks(pid: int) -> int | None:
    """Processor time a process has used, in the system's ticks; None where there is no such file."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[11]) + int(fields[12])
    except (OSError, ValueError, IndexError):
        return None


def _exactly(stream: BinaryIO | Any, count: int) -> bytes:
    content: bytes = stream.read(count)
    if len(content) != count:
        raise ValueError("the stream ended")
    return content


def _serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """The child: answer requests until the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle

    from hangtag.preprocess.decode import decode
    from hangtag.preprocess.photo import ENOUGH, check_content, convert_by_kind

    _limit_memory()
    replies.write(_READY)
    replies.flush()
    while header := requests.read(_REQUEST.size):
        size, photos, options, seconds, length = _REQUEST.unpack(header)
        content = _exactly(requests, length)
        _limit_time(seconds)
        try:
            picture = decode(content, enough=ENOUGH * max(size, photos))
            if options & _CHECK:
                check_content(picture)
            colour, light = bool(options & _COLOUR), bool(options & _LIGHT)
            pixels = convert_by_kind(picture, size, colour, light, photos).tobytes()
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


def _limit_time(seconds: int) -> None:
    """A ceiling on processor time for the next image: whatever else the machine does, this is the image's own."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
