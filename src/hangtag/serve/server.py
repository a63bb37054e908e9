"""The process that serves: one socket, one model, until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hangtag.core.errors import HangtagError
from hangtag.predict.recogniser import Recogniser
from hangtag.preprocess import decoder
from hangtag.serve import app

DRAIN_S = 10  # after a signal, what is being answered has so long; what is still being received is refused then
HEADERS_S = 10.0  # a connection that has not asked anything by then is closed
SLOW_READ_S = 30.0  # an answer that is not read any further for so long is given up
CONNECTIONS = 256  # requests of more are told to come back; of twice as many connections none is taken


def listen(host: str, port: int) -> socket.socket:
    """A socket at `host` and `port`; port 0 takes a free one.

    Raises:
        HangtagError: `usage_address`: empty, taken, not ours to take, or no address of this machine.
    """
    if not host:  # which the system takes for "everywhere"
        raise HangtagError("usage_address", "--host is empty: 127.0.0.1 is this machine, 0.0.0.0 its whole network")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        host.encode("idna")  # what cannot be a name would leave a socket open
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        number, told = getattr(error, "errno", None), getattr(error, "strerror", None)
        if number == errno.EADDRINUSE:
            reason = f"port {port} of {host} is in use: choose another with --port, or 0 for a free one"
        elif number == errno.EACCES:
            reason = f"port {port} is for the system's own services: choose one from 1024 with --port"
        else:
            reason = f"cannot listen at {host}: {told or error}; --host takes an address of this machine"
        raise HangtagError("usage_address", reason) from error


def addresses(listening: socket.socket) -> list[str]:
    """Where a browser finds the server: on this machine first, and then in its network if it listens there."""
    host, port = listening.getsockname()[:2]
    if not ipaddress.ip_address(host).is_unspecified:
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}"]
    if host == "::" and not socket.has_dualstack_ipv6():
        return [f"http://[::1]:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the way out
            outside = [f"http://{probe.getsockname()[0]}:{port}"]
        except OSError:
            outside = []
    return [f"http://127.0.0.1:{port}", *outside]


class _Connection(H11Protocol):
    """A connection that is closed if nothing is asked for `HEADERS_S`, or no answer read for `SLOW_READ_S`.

    uvicorn itself would wait for ever.
    """

    unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * CONNECTIONS:
            transport.abort()
        self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread = self.loop.call_later(SLOW_READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.unread is not None:
            self.unread.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def _wait(self) -> None:
        before = self.cycle

        def give_up() -> None:
            if self.cycle is before and (before is None or before.response_complete):
                self.transport.close()  # which waits until what is on its way has been read
                self.loop.call_later(SLOW_READ_S, self.transport.abort)

        self.loop.call_later(HEADERS_S, give_up)


def run(recogniser: Recogniser, listening: socket.socket, hosts: tuple[str, ...], ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, and then for `DRAIN_S` at most what is being answered.

    Args:
        recogniser: the model.
        listening: see `listen`.
        hosts: host names let in besides `localhost`.
        ready: called when requests are answered.

    Raises:
        KeyboardInterrupt: that was the signal.
    """
    decoder.shared().start()
    anywhere = not ipaddress.ip_address(listening.getsockname()[0]).is_loopback
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn ends in order, then raises the signal anew

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        app.create(recogniser, hosts, anywhere, lambda: len(server.server_state.connections) > CONNECTIONS),
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        http=_Connection,
        h11_max_incomplete_event_size=16_384,  # bytes of headers that have not ended yet
        timeout_keep_alive=5,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = Server(config)
    server.run([listening])
