"""What every request passes before the app sees it, what every answer carries, and the one form errors have.

A browser lets any site send requests to a server on its user's own machine, and a name can be pointed at that machine
(DNS rebinding), so the `Host` header decides: a name is let in if it was allowed by name; a literal address cannot be
pointed elsewhere, and is let in if the server listens beyond its own machine. What changes or costs anything is for
our own page and for programs: browsers say whose page asks by `Sec-Fetch-Site`, or, over plain HTTP to another machine,
by `Origin` alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import uuid
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hangtag.serve.clients import NONE, Places, Proxies, share

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # Only our own files, and thumbnails the page makes of pictures it was given. The digest is that of the page's line
    # that adds the slash its relative addresses need, where a proxy shows it at /tags and not at /tags/.
    "content-security-policy": "default-src 'none'; "
    "script-src 'self' 'sha256-HqpCdBcSSwTODmAtP6D9q5/l2RFzd/LCgVQ21fBx5fQ='; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
REQUESTS = 256  # in progress at once; see `share` for those of one client
LET_RUN_S, LET_RUN_BYTES = 5.0, 40_000_000  # of a body nobody wants
log = logging.getLogger("hangtag.serve")


class Guard:
    """Refuses strangers, numbers each request, puts `HEADERS` on each answer and sees to it that there is one.

    Args:
        app: what answers those let in.
        hosts: names (or literal addresses) let in besides `localhost`.
        anywhere: let in any literal address; else only loopback ones.
        proxies: reverse proxies that are believed when they say who the client is.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: tuple[str, ...] = (),
        anywhere: bool = False,
        proxies: Proxies = NONE,
    ) -> None:
        self.app = app
        self.proxies = proxies
        self.requests = Places()
        self.hosts = {"localhost", *(host.lower().rstrip(".") for host in hosts)}
        self.anywhere = anywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":  # there are no web sockets
            raise ValueError(f"this service speaks http, not {scope['type']}")
        scope["request_id"] = _new_id()
        announced = Headers(scope=scope)
        body_ended = "transfer-encoding" not in announced and announced.get("content-length", "0").strip("0") == ""
        started = wanted = False

        async def receive_noting() -> Message:
            nonlocal body_ended
            message = await receive()
            body_ended = body_ended or not message.get("more_body", False)  # a disconnect ends it too
            return message

        async def send_guarded(message: Message) -> None:
            nonlocal started, wanted
            if message["type"] == "http.response.start":
                started, wanted = True, body_ended or message["status"] == 408
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = scope["request_id"]
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if not body_ended:
                    headers["connection"] = "close"
            elif not wanted and not message.get("more_body", False):  # the answer first, then its end
                await send({**message, "more_body": True})
                await _let_run(receive_noting)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        try:
            await self._answer(scope, receive_noting, send_guarded)
        except asyncio.CancelledError:  # the server is told to stop and has waited long enough
            if not started:
                stopping = refusal(scope, 503, "stopping", "the server is being stopped: try again when it is back")
                body_ended = True  # no longer waited for
                await stopping(scope, receive, send_guarded)
        except Exception:  # the app has answered 500
            log.exception("request %s failed", scope["request_id"])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        peer = scope["client"][0] if scope.get("client") else ""
        client = scope["client_id"] = self.proxies.client(peer, headers.getlist("x-forwarded-for"))
        if not self.requests.take(client, REQUESTS, share(REQUESTS)):
            await refusal(scope, 503, "busy", "too many requests at once: try again in a second")(scope, receive, send)
            return
        answer: ASGIApp = self.app
        if len(hosts) != 1 or not self.lets_in(hosts[0]):
            cure = "open the address the server printed, or start it with --allow-host NAME"
            answer = refusal(scope, 400, "host_not_allowed", f"this host name is not allowed: {cure}")
        elif scope["method"] not in ("GET", "HEAD") and _foreign(headers, hosts[0]):
            cure = "behind a proxy it has to pass the Host header on as it came"
            answer = refusal(scope, 403, "cross_site", f"pages of other sites may not use this service; {cure}")
        try:
            await answer(scope, receive, send)
        finally:
            self.requests.give_back(client)

    def lets_in(self, host: str) -> bool:
        """Whether `host`, as the header has it (`name`, `name:port`, `[v6]:port`), is one of ours."""
        name, colon, port = (host, "", "") if host.endswith("]") else host.rpartition(":")
        if not colon:
            name = host
        elif not (port.isascii() and port.isdecimal()):
            return False
        if name.lower().rstrip(".") in self.hosts:
            return True
        try:
            address = ipaddress.ip_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
        except ValueError:
            return False
        return not address.is_unspecified and (address.is_loopback or self.anywhere)


def _foreign(headers: Headers, host: str) -> bool:
    """Whether another site's page asks, as browsers say it. Programs say nothing."""
    if (site := headers.get("sec-fetch-site")) is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")  # `null` of a page that will not say whose it is
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


async def _let_run(receive: Receive) -> None:
    """Take what is left of a body and drop it: senders who are cut off while they send never see the answer."""
    dropped, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LET_RUN_S):
            while more and dropped < LET_RUN_BYTES:
                message = await receive()
                dropped += len(message.get("body", b""))
                more = message.get("more_body", False)


def refusal(scope: Scope, status: int, code: str, message: str) -> Response:
    """`{"error": {"code", "message", "request_id"}}`, the one form every error has."""
    error = {"code": code, "message": message, "request_id": scope["request_id"]}
    return JSONResponse({"error": error}, status, {"retry-after": "1"} if status == 503 else None)


def raw_refusal(status: int, code: str, message: str) -> bytes:
    """`refusal`, with all that goes before it, where there is no request that an app could answer."""
    identity = _new_id()
    response = refusal({"request_id": identity}, status, code, message)
    response.headers.update({**HEADERS, "x-request-id": identity, "connection": "close"})
    lines = b"".join(b"%b: %b\r\n" % field for field in response.raw_headers)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() + lines + b"\r\n" + bytes(response.body)


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
