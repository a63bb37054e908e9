"""The process that serves: one socket, one model, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hangtag.core.errors import HangtagError
from hangtag.predict import deadline
from hangtag.predict.recogniser import Recogniser
from hangtag.preprocess import decoder
from hangtag.serve import app, guard
from hangtag.serve.clients import NONE, Places, Proxies, client_of, share
from hangtag.serve.framing import HEAD_BYTES, Framing, MalformedError

DRAIN_S = 10  # after a signal, what is being answered has so long; what is still being received is refused then
HEADERS_S = 10.0  # a connection that has not asked anything by then is closed
SLOW_READ_S = 30.0  # an answer that is not read any further for so long is given up
CONNECTIONS = 256  # a further one is told to come back; one client may have three quarters of them
LEAVING = 256  # connections that were refused and are still being listened to; of more, the oldest is closed


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


class Connections:
    """The connections of a server: those that have a place, and those that were refused and are leaving."""

    def __init__(self, proxies: Proxies) -> None:
        self.proxies = proxies
        self.places = Places()
        self.leaving: dict[Connection, None] = {}  # in the order they were refused


class Connection(H11Protocol):
    """A connection that is closed if nothing is asked for `HEADERS_S`, or no answer read for `SLOW_READ_S`.

    uvicorn itself would wait for ever, and read a request less strictly than a proxy in front of it may.
    """

    def __init__(self, *args: Any, connections: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self.framing = Framing()
        self.all = connections
        self.place: str | None = None
        self.leaving = False
        self.dropped = 0
        self.unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give it a place, if there is one."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        # A proxy's connections are many clients'; how many requests each may have is the guard's to say.
        client = f"{address} {id(self)}" if self.all.proxies.trust(address) else client_of(address)
        if self.all.places.take(client, CONNECTIONS, share(CONNECTIONS)):
            self.place = client
            self._wait()
        else:
            self._refuse(503, "busy", "too many connections: try again in a second, over fewer of them")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place to others."""
        super().connection_lost(exc)
        self.all.leaving.pop(self, None)
        if self.unread is not None:
            self.unread.cancel()
        if self.place is not None:
            self.all.places.give_back(self.place)
            self.place = None

    def data_received(self, data: bytes) -> None:
        """Read on, or let it run into nothing."""
        if self.leaving:
            self.dropped += len(data)
            if self.dropped > guard.LET_RUN_BYTES:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        self.framing.feed(data)
        self._hand_on()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._wait()
        self._hand_on()  # the request behind this one, which has waited

    def _hand_on(self) -> None:
        """Give h11 what may be read by now: the current request, and nothing behind it before it has been answered."""
        while not self.leaving and not self.transport.is_closing():
            if self.framing.ended:
                if not self.cycle.response_complete:
                    if self.framing.waiting:
                        self.flow.pause_reading()
                    return
                self.framing.begin_next()
            try:
                part = self.framing.read()
            except MalformedError as error:
                self._refuse(error.status, error.code, error.message)
                return
            if not part:
                return
            self.conn.receive_data(part)
            self.handle_events()

    def send_400_response(self, msg: str) -> None:
        """Refuse what h11 refuses."""
        self._refuse(400, "request_malformed", "this is no HTTP request")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Say why, and hang up without reading on.

        What still comes is dropped for a while, for a connection that is closed with bytes unread is reset, and with it
        goes the answer.
        """
        self.leaving = True
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        begun = self.cycle is not None and not self.cycle.response_complete
        if begun:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not begun or not self.cycle.response_started:
            self.transport.write(guard.raw_refusal(status, code, message))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.all.leaving[self] = None
        if len(self.all.leaving) > LEAVING:
            oldest = next(iter(self.all.leaving))
            del self.all.leaving[oldest]
            oldest.transport.close()
        self.loop.call_later(guard.LET_RUN_S, self.transport.abort)

    def shutdown(self) -> None:
        """Close it when nothing is being answered."""
        if self.leaving:
            self.transport.close()
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """Start the clock for an answer that is not read."""
        super().pause_writing()
        self.unread = self.loop.call_later(SLOW_READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that clock."""
        super().resume_writing()
        if self.unread is not None:
            self.unread.cancel()

    def _wait(self) -> None:
        before = self.cycle

        def give_up() -> None:
            if not self.leaving and self.cycle is before and (before is None or before.response_complete):
                self.transport.close()  # which waits until what is on its way has been read
                self.loop.call_later(SLOW_READ_S, self.transport.abort)

        self.loop.call_later(HEADERS_S, give_up)


def run(
    recogniser: Recogniser,
    listening: socket.socket,
    hosts: tuple[str, ...],
    ready: Callable[[], None],
    proxies: Proxies = NONE,
) -> None:
    """Serve until SIGINT or SIGTERM, and then for `DRAIN_S` at most what is being answered.

    Args:
        recogniser: the model.
        listening: see `listen`.
        hosts: host names let in besides `localhost`.
        ready: called when requests are answered.
        proxies: reverse proxies that are believed when they say who the client is.

    Raises:
        KeyboardInterrupt: that was the signal.
    """
    _allow_files(4 * CONNECTIONS)
    decoder.shared().start()
    anywhere = not ipaddress.ip_address(listening.getsockname()[0]).is_loopback
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn ends in order, then raises the signal anew

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        app.create(recogniser, hosts, anywhere, proxies),
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        http=partial(Connection, connections=Connections(proxies)),  # type: ignore[arg-type]
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = Server(config)
    try:
        server.run([listening])
    finally:
        deadline.abandon_all()


def _allow_files(count: int) -> None:
    """Let the process have so many files open, connections among them, if the system lets it: macOS starts with 256."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows counts no files
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < count:
            wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
