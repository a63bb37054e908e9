"""What every request passes before the app sees it, what every answer carries, and the one form errors have.

A browser lets any site send requests to a server on its user's own machine, and a name can be pointed at that machine
(DNS rebinding), so the `Host` header decides: a name is let in if it was allowed by name; a literal address cannot be
pointed elsewhere, and is let in if the server listens beyond its own machine.
"""

from __future__ import annotations

import ipaddress
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # Only our own files, and thumbnails the page makes of pictures it was given.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}


class Guard:
    """Refuses strangers' host names, numbers each request and puts `HEADERS` on each answer.

    Args:
        app: what answers those let in.
        hosts: names let in besides `localhost`.
        anywhere: let in any literal address; else only loopback ones.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] = (), anywhere: bool = False) -> None:
        self.app = app
        self.hosts = {"localhost", *(host.lower().rstrip(".") for host in hosts)}
        self.anywhere = anywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":  # "lifespan"; there are no web sockets
            await self.app(scope, receive, send)
            return
        scope["request_id"] = uuid.uuid4().hex[:12]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = scope["request_id"]
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not self.lets_in(hosts[0]):
            cure = "open the address the server printed, or start it with --allow-host NAME"
            response = refusal(scope, 400, "host_not_allowed", f"this host name is not allowed: {cure}")
            await response(scope, receive, send_guarded)
            return
        await self.app(scope, receive, send_guarded)

    def lets_in(self, host: str) -> bool:
        """Whether `host`, as the header has it (`name`, `name:port`, `[v6]:port`), is one of ours."""
        name, colon, port = (host, "", "") if host.endswith("]") else host.rpartition(":")
        if not colon:
            name = host
        elif not (port.isascii() and port.isdecimal()):
            return False
        try:
            address = ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
        except ValueError:
            return name.lower().rstrip(".") in self.hosts
        return not address.is_unspecified and (address.is_loopback or self.anywhere)


def refusal(scope: Scope, status: int, code: str, message: str) -> Response:
    """`{"error": {"code", "message", "request_id"}}`, the one form every error has."""
    headers = {}
    if status == 503:
        headers["retry-after"] = "1"
    if status in (408, 413, 503):  # the rest of the body stays unread: this connection is of no more use
        headers["connection"] = "close"
    error = {"code": code, "message": message, "request_id": scope["request_id"]}
    return JSONResponse({"error": error}, status, headers)
