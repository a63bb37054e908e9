"""HTTP as attackers speak it, over real sockets: the attacker is refused and let go, the others are answered."""

import json
import random
import socket
import threading
import time

import pytest

from hangtag.serve import framing, server

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /recognise HTTP/1.1\r\nHost: localhost\r\n"


def connected(port, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), source_address=(source, 0))


def everything(port, sent, source="127.0.0.1"):
    """All that is answered until the server hangs up."""
    with connected(port, source) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            pytest.fail("reset while sending, and the answer is lost with it")
        return connection.makefile("rb").read()


def refused(answer):
    """(status, code) of the one refusal that an answer holds."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in head.lower() + b"\r\n"
    assert b"content-security-policy" in head.lower()
    error = json.loads(body)["error"]
    assert error["request_id"]
    return int(head[9:12]), error["code"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 400),
        (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"X: a\r\n b\r\n\r\n", 400),
        (HEALTH.replace(b"\r\n", b"\n"), 400),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 10_000 + b"\r\n", 431),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
        (b"GET /health?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: \x0ba\r\n\r\n", 400),  # h11 refuses this one
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
def test_what_is_malformed_is_refused_and_nothing_behind_it_is_answered(port, sent, status):
    answer = everything(port, sent + HEALTH * 3)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert refused(answer) == (status, "request_headers_too_large" if status in (414, 431) else "request_malformed")


def test_requests_before_a_malformed_one_are_answered_first(port):
    answer = everything(port, HEALTH * 3 + POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + HEALTH)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3 + [b"400"]


@pytest.mark.parametrize("rest", [b"1\r\nx\r\n" * 1_000_000, b"1;a=b\r\nx\r\n" * 500_000, b"1\r\nx\r\nhello", b"g\r\n"])
def test_a_body_in_tiny_or_damaged_chunks_is_refused_while_it_comes(port, rest, monkeypatch):
    parsed = []
    match = framing._CHUNK.match
    counting = type("Counting", (), {"match": staticmethod(lambda *arguments: parsed.append(1) or match(*arguments))})
    monkeypatch.setattr(framing, "_CHUNK", counting)
    assert refused(everything(port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + rest)) == (400, "request_malformed")
    assert len(parsed) < 5_000  # and no more work, however much is sent


def test_an_image_in_chunks_or_in_many_small_segments_is_recognised(port, pictures):
    content = pictures[1][0]
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(content[i : i + 50]), content[i : i + 50]) for i in range(0, len(content), 50)
    )
    whole = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX: a\r\n\r\n"
    expected = everything(port, POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
    assert expected.startswith(b"HTTP/1.1 200")
    assert everything(port, whole).partition(b"\r\n\r\n")[2] == expected.partition(b"\r\n\r\n")[2]
    with connected(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(whole)):
            connection.sendall(whole[i : i + 1])
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200")


def test_a_body_of_a_million_segments_wakes_the_app_a_few_times(port, monkeypatch):
    parts = []
    handed = server.Connection.handle_events
    monkeypatch.setattr(server.Connection, "handle_events", lambda self: parts.append(1) or handed(self))
    with connected(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(POST + b"Connection: close\r\nContent-Length: 20000\r\n\r\n")
        for _ in range(20_000):
            connection.sendall(b"x")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 415")
    assert len(parts) <= 7


def test_one_client_with_all_its_connections_keeps_nobody_out(port):
    many = [connected(port) for _ in range(server.CONNECTIONS + 50)]
    try:
        for _ in range(20):
            answer = everything(port, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), "127.0.0.2")
            assert answer.startswith(b"HTTP/1.1 200")
        assert refused(many[-1].makefile("rb").read()) == (503, "busy")
        answer = everything(port, HEALTH)  # of the same client
        assert refused(answer) == (503, "busy")
        assert b"\r\nretry-after: 1\r\n" in answer
    finally:
        for connection in many:
            connection.close()
    health = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    while not everything(port, health).startswith(b"HTTP/1.1 200"):  # until the last one is seen to have gone
        time.sleep(0.05)


def test_whatever_is_sent_is_answered_in_order_and_the_server_lives(port, pictures, caplog):
    """No 500, no reset before an answer, and the next one is answered."""
    chance = random.Random(11)
    image = pictures[1][0]
    seeds = [
        HEALTH,
        POST + b"Content-Length: %d\r\n\r\n" % len(image) + image,
        POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(image), image),
    ]
    words = [b"\r\n", b"\n", b"\0", b" ", b":", b"0", b"9", b"\r\n\r\n", b"chunked", b"\xff", b"%00", b"HTTP/1.0", b""]
    for _ in range(300):
        sent = bytearray(chance.choice(seeds) + HEALTH)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(min(len(sent), 120))
            sent[at : at + chance.randint(0, 4)] = chance.choice(words)
        with connected(port) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.makefile("rb").read()
        for part in answer.split(b"HTTP/1.1 ")[1:]:
            assert part[:3] in (
                b"200",
                b"400",
                b"403",
                b"404",
                b"405",
                b"408",
                b"413",
                b"414",
                b"415",
                b"422",
                b"431",
                b"505",
            )
    assert everything(port, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
    assert "Traceback" not in caplog.text


def test_an_attack_and_the_others_take_turns(port):
    """While one sends a body without an end, each other one is answered before the body has gone on by much."""
    over, sent = threading.Event(), []

    def attack():
        with connected(port) as connection:
            connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
            while not over.is_set():
                try:
                    connection.sendall(b"1\r\nx\r\n" * 10_000)
                except OSError:
                    return
                sent.append(1)

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        for _ in range(50):
            answer = everything(port, HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), "127.0.0.2")
            assert answer.startswith(b"HTTP/1.1 200")
    finally:
        over.set()
        attacker.join()
