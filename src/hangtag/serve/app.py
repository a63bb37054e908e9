"""What the service answers: one picture in, one label out; the page that does so for people; and whether it lives.

    POST /recognise?top=3   an image's bytes -> {label, confidence, top, status, why, model, digest}; of an animation
                            frames_ignored; of a bundle with members member; of a model that says so known;
                            with &accept_at=0.98 the status for that accuracy
    GET  /model             name, digest, classes, accuracy, and what each member is and was evaluated on
    GET  /health            {"status": "ok"}, or 503 while the model does not answer
    GET  /                  the page

Bytes are taken, never an address or a path: the server fetches nothing. A picture is decoded in a child process
(`preprocess.decoder`), judged and forgotten.
"""

from __future__ import annotations

import asyncio
import importlib.resources
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hangtag.core.card import Card, digest_of
from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text, printable
from hangtag.predict.recogniser import Recogniser, Recognition, Recognitions
from hangtag.serve import body
from hangtag.serve.clients import NONE, Places, Proxies, share
from hangtag.serve.guard import Guard, log, refusal

MAX_BYTES = 20_000_000  # a phone's largest photos have 15 million; 32 of these at once fit into 640 MB
RECEIVE_S = 30.0  # a picture arrives within this, or its sender is let go
AT_WORK = 4  # pictures decoded and judged at once
INSIDE = 32  # pictures that have arrived and wait or are worked on; the next sender is told to come back
HELD = INSIDE * MAX_BYTES  # bytes of pictures in memory at once, of those that still arrive too
PAGE = {"/": ("index.html", "text/html"), "/page.css": ("page.css", "text/css"),
        "/page.js": ("page.js", "text/javascript"), "/icon.svg": ("icon.svg", "image/svg+xml")}  # fmt: skip
_STATUS = {  # what is not named is a picture that cannot be read: 422
    "image_unsupported": 415,
    "image_too_many_pixels": 413,
    "request_too_large": 413,
    "request_timeout": 408,
    "request_unsupported": 415,
    "request_value": 400,
    "busy": 503,
    "decoder_busy": 503,
    "model_hung": 503,
}
_OURS = "a defect of ours: the server's terminal says more, under this request's number"


class _RefusedError(Exception):
    """A request that is not answered: a code of the service's own, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def create(
    recogniser: Recogniser,
    hosts: tuple[str, ...] = (),
    anywhere: bool = False,
    proxies: Proxies = NONE,
) -> ASGIApp:
    """The service as an ASGI application.

    Args:
        recogniser: the model that answers.
        hosts: host names let in besides `localhost`; see `Guard`.
        anywhere: whether it listens beyond its own machine.
        proxies: reverse proxies that are believed when they say who the client is.
    """
    service = _Service(recogniser)
    routes = [
        Route("/recognise", service.recognise, methods=["POST"]),
        Route("/model", service.model, methods=["GET"]),
        Route("/health", service.health, methods=["GET"]),
        *(Route(path, _file(*file), methods=["GET"]) for path, file in PAGE.items()),
    ]
    handlers = {HTTPException: _http_error, HangtagError: _refused, _RefusedError: _refused, Exception: _defect}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return Guard(app, hosts, anywhere, proxies)


class _Service:
    """The answers that need the model."""

    def __init__(self, recogniser: Recogniser) -> None:
        card = recogniser.card
        self.recogniser = recogniser
        self.answers = True  # the model does: False from an answer that came too late to the next one in time
        self.inside = Places()
        self.held = Places()
        self.turns = asyncio.Semaphore(AT_WORK)
        self.workers = ThreadPoolExecutor(AT_WORK + 1, "hangtag-serve")  # one for `_try_model`
        digest = digest_of(card)[:12] if card.files or card.members else ""
        self.name = {"model": as_text(card.name), "digest": digest, **card.standing()}
        self.about = {
            **self.name,
            "class_names": [as_text(name) for name in recogniser.class_names],
            **_about(card),
            **({"members": [_member(*one) for one in recogniser.members.items()]} if card.members else {}),
        }

    async def recognise(self, request: Request) -> Response:
        """What one picture shows."""
        if self.inside.used >= INSIDE:  # said before the body is read
            raise _crowded()
        content = bytearray()
        try:
            top, recogniser = _top(request), _accepting(self.recogniser, request)
            await self._receive(request, content)  # takes no place: who sends slowly keeps nobody out
            if body.lost_line_ends(content, _content_type(request)):
                raise _explained(HangtagError("image_damaged", ""), content, _content_type(request))
            found = await self._work(request, recogniser, content, top)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        finally:
            self.held.give_back(request.scope["client_id"], len(content))
        assert isinstance(found, Recognition)  # bytes are one picture
        if found.error is not None:
            raise _explained(found.error, content, _content_type(request))
        answer = {
            "label": as_text(found.label),
            "confidence": found.confidence,
            "top": [{"label": as_text(label), "confidence": confidence} for label, confidence in found.top],
            **({"frames_ignored": found.frames_ignored} if found.frames_ignored else {}),
            "status": found.status,
            "why": found.why,
            **({"member": found.member} if found.member else {}),
            **({"known": found.known} if found.known is not None else {}),
        }
        return JSONResponse({**answer, **self.name})

    async def _receive(self, request: Request, content: bytearray) -> None:
        """The body into `content`, within `RECEIVE_S`: never more than `MAX_BYTES`, nor than `HELD` of all of them."""
        _check_headers(request)
        client = request.scope["client_id"]
        try:
            async with asyncio.timeout(RECEIVE_S):
                async for part in request.stream():
                    if len(content) + len(part) > MAX_BYTES:
                        raise _too_large()
                    if not self.held.take(client, HELD, share(INSIDE) * MAX_BYTES, len(part)):
                        raise _RefusedError("busy", "too many images are arriving at once: try again in a second")
                    content += part
        except TimeoutError as error:
            raise _RefusedError("request_timeout", f"the picture did not arrive within {RECEIVE_S:.0f} s") from error

    async def _work(
        self, request: Request, recogniser: Recogniser, content: bytearray, top: int
    ) -> Recognition | Recognitions:
        client = request.scope["client_id"]
        if not self.inside.take(client, INSIDE, share(INSIDE)):  # others' images may have arrived meanwhile
            raise _crowded()
        try:
            async with self.turns:
                if await request.is_disconnected():
                    raise ClientDisconnect
                found: Recognition | Recognitions = await self._in_a_thread(recogniser.recognise, content, top)
                self.answers = True
                return found
        except HangtagError as error:
            if error.code == "bundle_timeout" and self.answers:
                self.answers = False
                self.trial = asyncio.create_task(self._try_model())  # kept, or it might be collected
            raise
        finally:
            self.inside.give_back(client)

    async def _try_model(self) -> None:
        """Whether the model answers a blank image: one image may have been too much for it, or any is."""
        cards = list(self.recogniser.members.values()) or [self.recogniser.card]
        try:
            for card in cards:
                await self._in_a_thread(self.recogniser.predict_proba, np.zeros((1, *card.image_shape), np.uint8))
            self.answers = True
        except HangtagError as error:
            log.error("the model does not answer: %s", printable(error.message))

    async def _in_a_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.workers, work, *arguments)

    async def model(self, request: Request) -> Response:
        """Who answers."""
        return JSONResponse(self.about)

    async def health(self, request: Request) -> Response:
        """Whether it answers."""
        if not self.answers:
            raise _RefusedError("model_hung", "the model does not answer: serve another bundle, or start it again")
        return JSONResponse({"status": "ok"})


def _top(request: Request) -> int:
    """`?top=`: how many classes to name."""
    text = request.query_params.get("top", "3")
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 4 and int(text)):
        raise _RefusedError("request_value", "top should be a whole number from 1")
    return int(text)


def _accepting(recogniser: Recogniser, request: Request) -> Recogniser:
    """`?accept_at=`: the accuracy that accepted answers should have."""
    text = request.query_params.get("accept_at")
    if text is None:
        return recogniser
    try:
        return recogniser.accepting(float(text))
    except ValueError:
        raise _RefusedError("request_value", "accept_at should be a number between 0 and 1, such as 0.98") from None
    except HangtagError as error:
        raise _RefusedError("request_value", error.message) from error


def _member(name: str, card: Card) -> dict[str, Any]:
    return {"name": as_text(name), **_about(card)}


def _about(card: Card) -> dict[str, Any]:
    """What a model or a member is, and how often it was right on the test images of which data."""
    accuracy = (card.metrics.get("test") or {}).get("accuracy")
    return {
        "size": card.size,
        "colour": card.colour,
        "data": as_text(str(card.data.get("name", ""))),
        "test_accuracy": accuracy if isinstance(accuracy, float | int) else None,
    }


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").strip().lower()


def _explained(error: HangtagError, content: bytearray, content_type: str) -> HangtagError | _RefusedError:
    """The error of an image, or what was sent in its place."""
    how = body.how_sent(bytes(content), content_type) if error.code.startswith("image_") else None
    return _RefusedError("request_unsupported", f"this is {how}") if how else error


def _crowded() -> _RefusedError:
    return _RefusedError("busy", f"{INSIDE} images are being recognised: try again in a second")


def _too_large() -> _RefusedError:
    return _RefusedError("request_too_large", f"{MAX_BYTES // 1_000_000} MB is the most accepted")


def _check_headers(request: Request) -> None:
    """Refuse a body by what is said of it before it comes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _RefusedError("request_unsupported", "send the picture as it is, without a content encoding")
    if _content_type(request).startswith("multipart/"):
        raise _RefusedError("request_unsupported", f"forms are not taken; {body.HOW}")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise _too_large()


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """A file of the page, read once."""
    content = (importlib.resources.files("hangtag.serve") / "page" / name).read_bytes()

    async def send(request: Request) -> Response:
        return Response(content, media_type=kind)

    return send


async def _refused(request: Request, error: HangtagError | _RefusedError) -> Response:
    if error.code == "bundle_timeout":
        log.error("request %s: %s", request.scope["request_id"], printable(error.message))
        return refusal(request.scope, 504, "timeout", "the model gave no answer in time for this image")
    if error.code in _STATUS or error.code.startswith("image_"):
        return refusal(request.scope, _STATUS.get(error.code, 422), error.code, error.message)
    log.error("request %s failed", request.scope["request_id"], exc_info=error)  # no decoder starts, say
    return refusal(request.scope, 500, error.code, _OURS)


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"this address takes {allowed}, not {printable(request.method)}"
        response = refusal(request.scope, 405, "method_not_allowed", message)
        response.headers.update(error.headers or {})
        return response
    return refusal(request.scope, error.status_code, "not_found", "there is nothing here: POST /recognise, or open /")


async def _defect(request: Request, error: Exception) -> Response:
    return refusal(request.scope, 500, "internal_error", _OURS)
