"""Who is let in by which name."""

import asyncio
import ipaddress
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import JSONResponse

from hangtag.serve import guard
from hangtag.serve.clients import Proxies
from hangtag.serve.guard import Guard

HERE = Guard(None, ("shop.example",))
ANYWHERE = Guard(None, anywhere=True)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000", "shop.example:1"]
)
def test_names_of_this_machine_are_let_in(host):
    assert HERE.lets_in(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "0.0.0.0", "0.0.0.0:8000", "[::]", "192.168.1.5", "localhost:x",
     "localhost:", "localhost:80:80", "::1", "[::1", "127.0.0.1.evil.example", "evil.example#localhost", "localhost@e"],
)  # fmt: skip
def test_other_names_are_not(host):
    assert not HERE.lets_in(host)


def test_beyond_this_machine_addresses_are_let_in_but_names_are_not():
    assert ANYWHERE.lets_in("192.168.1.5:8000")
    assert ANYWHERE.lets_in("[fe80::1]:8000")
    assert not ANYWHERE.lets_in("evil.example")
    assert not ANYWHERE.lets_in("0.0.0.0:8000")


@pytest.mark.parametrize("host", ["evil.example", "0.0.0.0:1", ""])
def test_a_stranger_gets_one_clear_line(ask, host):
    status, _, answer = ask("GET", "/", headers={"Host": host})
    assert (status, answer["error"]["code"]) == (400, "host_not_allowed")
    assert "--allow-host" in answer["error"]["message"]


def test_no_host_at_all_is_refused(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "host_not_allowed"


def test_an_address_may_be_allowed_by_name():
    assert Guard(None, ("10.0.0.5", "[fd00::1]")).lets_in("10.0.0.5:8000")
    assert Guard(None, ("10.0.0.5", "[fd00::1]")).lets_in("[fd00::1]")
    assert not Guard(None, ("10.0.0.5",)).lets_in("10.0.0.6")


@pytest.mark.parametrize("trusted", [True, False])
def test_behind_a_trusted_proxy_a_client_is_who_the_proxy_says(monkeypatch, trusted):
    """So that one of its clients fills its own share of the requests, and not everybody's."""
    monkeypatch.setattr(guard, "REQUESTS", 4)
    proxies = Proxies([ipaddress.ip_network("10.0.0.5")]) if trusted else Proxies()

    async def statuses() -> list[int]:
        held, found = asyncio.Event(), []

        async def app(scope, receive, send):
            await held.wait()
            await JSONResponse({})(scope, receive, send)

        async def ask(client):
            async def send(message):
                if message["type"] == "http.response.start":
                    found.append((client, message["status"]))

            forwarded = [(b"host", b"localhost"), (b"x-forwarded-for", client.encode())]
            scope = {"type": "http", "method": "GET", "client": ("10.0.0.5", 1), "headers": forwarded}
            await guarded(scope, None, send)

        guarded = Guard(app, proxies=proxies)
        asking = [asyncio.create_task(ask(client)) for client in ("192.0.2.1",) * 4 + ("192.0.2.2",)]
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(*asking)
        assert not guarded.requests.used
        return [status for _, status in sorted(found)]

    with ThreadPoolExecutor(1) as apart:  # a browser's tests keep a loop running in this thread
        found = apart.submit(asyncio.run, statuses()).result()
    assert found == [200, 200, 200, 503, 200 if trusted else 503]
