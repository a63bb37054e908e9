"""The process that serves: one socket, one model, until it is told to stop."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

import uvicorn

from hangtag.core.errors import HangtagError
from hangtag.predict.recogniser import Recogniser
from hangtag.preprocess import decoder
from hangtag.serve import app

DRAIN_S = 10  # what is being answered may take as long after a signal


def listen(host: str, port: int) -> socket.socket:
    """A socket at `host` and `port`; port 0 takes a free one.

    Raises:
        HangtagError: `usage_address`: taken, not ours to take, or no address of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} of {host} is in use: choose another with --port, or 0 for a free one"
        elif error.errno == errno.EACCES:
            reason = f"port {port} is for the system's own services: choose one from 1024 with --port"
        else:
            reason = f"cannot listen at {host}: {error.strerror or error}; --host takes an address of this machine"
        raise HangtagError("usage_address", reason) from error


def addresses(listening: socket.socket) -> list[str]:
    """Where a browser finds the server: on this machine first, and then in its network if it listens there."""
    host, port = listening.getsockname()[:2]
    if not ipaddress.ip_address(host).is_unspecified:
        return [f"http://{f'[{host}]' if ':' in host else host}:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the way out
            outside = [f"http://{probe.getsockname()[0]}:{port}"]
        except OSError:
            outside = []
    return [f"http://127.0.0.1:{port}", *outside]


def run(recogniser: Recogniser, listening: socket.socket, hosts: tuple[str, ...], ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; what is being answered is answered.

    Args:
        recogniser: the model.
        listening: see `listen`; closed at the end.
        hosts: host names let in besides `localhost`.
        ready: called when requests are answered.
    """
    decoder.shared().start()
    anywhere = not ipaddress.ip_address(listening.getsockname()[0]).is_loopback
    service = app.create(recogniser, hosts, anywhere)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

    config = uvicorn.Config(
        service,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        http="h11",
        h11_max_incomplete_event_size=16_384,  # bytes of headers
        timeout_keep_alive=5,
        timeout_graceful_shutdown=DRAIN_S,
        limit_concurrency=256,
    )
    with listening:
        Server(config).run([listening])
