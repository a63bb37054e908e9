"""Fetch a file from the first mirror that delivers it, whole or not at all.

Nothing a mirror says is trusted: size is capped while bytes come in, and the caller's check of the content decides
before the file gets its name. A mirror that fails is never the end while another is left.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, TypeAlias

from hangtag.core.errors import HangtagError
from hangtag.core.files import write_file

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told (what, done, total)."""


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Args:
        read_s: silence after which a connection counts as dead.
        total_s: the longest one file may take from one mirror.
        rounds: how often to go through the mirrors; a mirror that sent something wrong, or has no such file, is asked
            only once.
        pause_s: average pause before the second round; doubles each round.
    """

    read_s: float = 20.0
    total_s: float = 900.0
    rounds: int = 3
    pause_s: float = 0.5


PATIENCE = Patience()


def mirrors(default: tuple[str, ...]) -> tuple[str, ...]:
    """`HANGTAG_MIRRORS` (URLs with commas between), or the set's own."""
    named = os.environ.get("HANGTAG_MIRRORS", "")
    return tuple(url.strip() for url in named.split(",") if url.strip()) or default


def fetch(
    path: Path,
    size: int,
    mirrors: tuple[str, ...],
    accept: Callable[[bytes], None],
    progress: Progress,
    patience: Patience = PATIENCE,
) -> None:
    """Put the file called `path.name` on the mirrors at `path`, atomically.

    Args:
        path: where to; only ever written whole, and only after `accept`.
        size: its size in bytes; a mirror that sends more is cut off.
        mirrors: URLs of folders, tried in order.
        accept: raises HangtagError if the content is not what it should be; then the next mirror is tried.
        progress: told about the bytes that have come.
        patience: how long to try.

    Raises:
        HangtagError: `storage_*` if it cannot be written; what `accept` said, if a mirror delivered the wrong thing and
            none the right; else `data_offline`. Both tell what was tried and what to do.
    """
    reasons: dict[str, str] = {}
    codes: list[str] = []
    left = list(mirrors)
    for number in range(patience.rounds):
        if number and left:  # at a moment of our own: others may be trying again too
            time.sleep(patience.pause_s * 2 ** (number - 1) * random.uniform(0.5, 1.5))
        for mirror in tuple(left):
            url = f"{mirror.rstrip('/')}/{path.name}"
            try:
                content = _get(url, size, progress, patience)
                accept(content)
            except _MirrorError as failure:
                reasons[mirror] = " ".join(str(failure).split())
                if failure.final:
                    left.remove(mirror)
            except HangtagError as error:
                reasons[mirror] = error.message
                codes.append(error.code)
                left.remove(mirror)
            else:
                write_file(path, content)
                return
    tried = "; ".join(f"{mirror}: {reason}" for mirror, reason in reasons.items()) or "no mirror is set"
    cures = f"--data PATH names a folder that has it; HANGTAG_DATA does so for good; put it into {path.parent} by hand"
    raise HangtagError(
        codes[0] if codes else "data_offline", f"could not get {path.name}. Tried {tried}. Three cures: {cures}"
    )


class _MirrorError(Exception):
    """A mirror did not deliver. `final`: asking it again would not help."""

    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def _get(url: str, size: int, progress: Progress, patience: Patience) -> bytes:
    """The body at `url`: at most `size` bytes, plus one that shows that there are more."""
    deadline = time.monotonic() + patience.total_s
    content = bytearray()

    def too_slow() -> _MirrorError:
        return _MirrorError(f"too slow: {len(content):,} of {size:,} bytes in {patience.total_s:,.0f} s", final=True)

    try:
        with _opened(url, patience) as response:
            while len(content) <= size:
                piece = response.read1(min(1 << 16, size + 1 - len(content)))
                if time.monotonic() > deadline:
                    raise too_slow()
                if not piece:
                    break
                content += piece
                progress(url.rpartition("/")[2], min(len(content), size), size)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 400:
            raise _MirrorError("redirects without end", final=True) from error
        final = error.code < 500 and error.code != HTTPStatus.TOO_MANY_REQUESTS
        raise _MirrorError(f"HTTP {error.code}", final) from error  # what else the server says is for terminals to fear
    except urllib.error.URLError as error:
        reason = error.reason
        if isinstance(reason, TimeoutError):
            raise _MirrorError(f"silent for {patience.read_s:g} s") from error
        text = getattr(reason, "strerror", None) or str(reason)
        raise _MirrorError(text, final=isinstance(reason, ssl.SSLError | str)) from error
    except TimeoutError as error:
        raise _MirrorError(f"silent for {patience.read_s:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() > deadline:  # the watchdog hung up
            raise too_slow() from error
        raise _MirrorError(f"speaks no HTTP, or hangs up ({type(error).__name__})") from error
    except ValueError as error:
        raise _MirrorError("is no address", final=True) from error
    return bytes(content)


@contextlib.contextmanager
def _opened(url: str, patience: Patience) -> Iterator[http.client.HTTPResponse]:
    """The response to a GET.

    A watchdog hangs up on a server that dribbles its headers, or the lines that frame a body's chunks: no other clock
    runs then.
    """
    connections: list[http.client.HTTPConnection] = []
    sockets: list[socket.socket] = []

    def hang_up() -> None:
        for sock in [*sockets, *(connection.sock for connection in connections)]:
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    class Http(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_noted(http.client.HTTPConnection, connections, sockets), request)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_noted(http.client.HTTPSConnection, connections, sockets), request)

    opener = urllib.request.build_opener(Http, Https, SafeRedirects)
    request = urllib.request.Request(url, headers={"User-Agent": "hangtag", "Accept-Encoding": "identity"})
    watchdog = threading.Timer(patience.total_s, hang_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        with opener.open(request, timeout=patience.read_s) as response:
            yield response
    finally:
        watchdog.cancel()


def _noted(
    kind: type[http.client.HTTPConnection], connections: list[http.client.HTTPConnection], sockets: list[socket.socket]
) -> Any:
    """`kind`, whose connections are noted when made, and their sockets too: urllib forgets those before the body."""

    class Noted(kind):  # type: ignore[misc, valid-type]
        def __init__(self, host: str, **options: Any) -> None:
            super().__init__(host, **options)
            connections.append(self)

        def connect(self) -> None:
            super().connect()
            sockets.append(self.sock)

    return Noted


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows at most five redirects, none from https to anything less."""

    max_redirections = 5
    max_repeats = 2

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request to follow with.

        Raises:
            urllib.error.URLError: if that would leave https.
        """
        if req.type == "https" and not newurl.lower().startswith("https:"):
            raise urllib.error.URLError(f"redirects from https to {newurl.partition(':')[0]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
