"""Who is let in by which name."""

import socket

import pytest

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


def test_two_host_headers_or_none_are_refused(port):
    for hosts in (b"Host: localhost\r\nHost: localhost\r\n", b""):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")
