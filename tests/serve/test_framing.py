"""A request that could be read in two ways is refused; every other one is handed on as it is."""

import random

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hangtag.serve import framing
from hangtag.serve.framing import Framing, MalformedError

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def handed_on(*pieces: bytes) -> tuple[list[bytes], MalformedError | None]:
    """What h11 is given of each request, and why reading stopped."""
    framed, requests = Framing(), [b""]
    try:
        for piece in pieces:
            framed.feed(piece)
            while True:
                if framed.ended:
                    framed.begin_next()
                    requests.append(b"")
                if not (part := framed.read()):
                    break
                requests[-1] += part
    except MalformedError as error:
        return requests, error
    return requests, None


def body_of(request: bytes) -> bytes:
    """The body, as h11 reads it."""
    connection = h11.Connection(h11.SERVER, 16_384)
    connection.receive_data(request)
    body = b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Data):
            body += event.data
        elif not isinstance(event, h11.Request):
            assert isinstance(event, h11.EndOfMessage), event
            return body


def read_by_h11(request: bytes) -> bytes | None:
    """The body, or None of what h11 would not read: it is stricter about some bytes of a value."""
    try:
        return body_of(request)
    except h11.RemoteProtocolError as error:
        if not str(error).startswith("illegal header line"):
            raise
        return None


def head(*lines: bytes, first: bytes = b"POST / HTTP/1.1") -> bytes:
    return b"\r\n".join([first, b"Host: a", *lines, b"", b""])


TWO_READINGS = {
    "both": head(b"Content-Length: 5", b"Transfer-Encoding: chunked"),
    "both, the other way round": head(b"Transfer-Encoding: chunked", b"Content-Length: 0"),
    "two lengths": head(b"Content-Length: 5", b"Content-Length: 6"),
    "the same length twice": head(b"Content-Length: 5", b"content-length: 5"),
    "a list of lengths": head(b"Content-Length: 5, 5"),
    "a sign": head(b"Content-Length: +5"),
    "a minus": head(b"Content-Length: -5"),
    "a hexadecimal length": head(b"Content-Length: 0x5"),
    "an underscore": head(b"Content-Length: 1_0"),
    "two numbers": head(b"Content-Length: 5 5"),
    "no number": head(b"Content-Length:"),
    "a vertical tab": head(b"Content-Length: \x0b5"),
    "other digits": head("Content-Length: ５".encode()),
    "30 digits": head(b"Content-Length: " + b"1" * 30),
    "xchunked": head(b"Transfer-Encoding: xchunked"),
    "chunked, then identity": head(b"Transfer-Encoding: chunked, identity"),
    "gzip, then chunked": head(b"Transfer-Encoding: gzip, chunked"),
    "identity": head(b"Transfer-Encoding: identity"),
    "chunked twice": head(b"Transfer-Encoding: chunked, chunked"),
    "two codings": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "chunked in two fields": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "no coding": head(b"Transfer-Encoding:"),
    "a quoted coding": head(b'Transfer-Encoding: "chunked"'),
    "a vertical tab before the coding": head(b"Transfer-Encoding: \x0bchunked"),
    "chunked in HTTP/1.0": head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0"),
    "a space before the colon": head(b"Transfer-Encoding : chunked"),
    "a tab before the colon": head(b"Content-Length\t: 5"),
    "a folded coding": head(b"Transfer-Encoding:", b" chunked"),
    "a folded field": head(b"X: a", b"\tb"),
    "a fold at the start": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "a bare carriage return": head(b"X: a\rTransfer-Encoding: chunked"),
    "a bare carriage return at the end": head(b"X: a\r"),
    "a NUL": head(b"X: a\0b"),
    "a NUL in a name": head(b"X\0: a"),
    "no colon": head(b"X"),
    "no name": head(b": a"),
    "a name of two words": head(b"X Y: a"),
    "a name that is no ASCII": head("Ü: a".encode()),
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "a small http": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "two blank lines": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": head(b"Host: b"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a chunk's size with a sign": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with 0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with an underscore": CHUNKED + b"1_0\r\n",
    "a chunk's size of 17 digits": CHUNKED + b"1" * 17 + b"\r\n",
    "a space behind a chunk's size": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "no chunk's size": CHUNKED + b"\r\nhello",
    "a bare line feed behind a chunk's size": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "a bare line feed in an extension": CHUNKED + b"5;a\nb\r\nhello\r\n",
    "a bare carriage return in an extension": CHUNKED + b"5;a\rb\r\nhello\r\n",
    "a chunk longer than its size": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "a chunk that ends with a line feed": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "a huge extension": CHUNKED + b"5;" + b"a" * 300,
    "a folded trailer": CHUNKED + b"0\r\nX: a\r\n b\r\n\r\n",
    "a trailer with bare line feeds": CHUNKED + b"0\r\nX: a\n\n",
    "a trailer without a colon": CHUNKED + b"0\r\nX\r\n\r\n",
    "a huge trailer": CHUNKED + b"0\r\nX: " + b"a" * 5_000,
}


@pytest.mark.parametrize("name", TWO_READINGS)
def test_what_could_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(name):
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    for pieces in ([TWO_READINGS[name] + smuggled], [bytes([byte]) for byte in TWO_READINGS[name] + smuggled]):
        requests, error = handed_on(*pieces)
        assert error is not None
        assert error.status == 400
        assert len(requests) == 1
        assert "\n" not in error.message


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (head(*[b"X: a"] * 10_000), 431),
        (head(*[b"X: a"] * 101), 431),
        (head(b"X: " + b"a" * 17_000), 431),
        (head()[:-2] + b"X: " + b"a" * 17_000, 431),  # without an end
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 20_000, 414),
        (CHUNKED + b"0\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
        (head(first=b"GET / HTTP/2.0"), 505),
    ],
)
def test_a_head_has_limits(request_, status):
    for size in (len(request_), 1_000, 7):
        requests, error = handed_on(*[request_[i : i + size] for i in range(0, len(request_), size)])
        assert error is not None
        assert error.status == status
        assert len(requests) == 1


@pytest.mark.parametrize(
    "request_",
    [
        head(),
        b"\r\n" + head(),  # RFC 9112, section 2.2
        head(b"X:", b"Y:a", b"Z: \t a b \t", b"Cookie: a=\xfc\x01"),
        head(*[b"X: a"] * 99),
        head(b"Content-Length: 0"),
        head(b"Content-Length: 5") + b"hello",
        head(b"CONTENT-LENGTH:\t05 ") + b"hello",
        head(b"Content-Length: 9000") + b"\r\n\0" * 3_000,
        CHUNKED.replace(b"chunked", b"Chunked ") + b"5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5;a=b;c\r\nhello\r\n00\r\n\r\n",
        CHUNKED + b"005 ;a\r\nhello\r\n0;b\r\nX: a\r\nContent-Length: 3\r\n\r\n",
        CHUNKED + b"1000\r\n" + b"x" * 4_096 + b"\r\na\r\n0123456789\r\n0\r\n\r\n",
        head(first=b"GET / HTTP/1.0"),
    ],
)
def test_every_other_request_is_handed_on_however_it_arrives(request_):
    bodies = {}
    for size in (len(request_) * 3, 100, 3, 2, 1):
        requests, error = handed_on(*[(request_ * 3)[i : i + size] for i in range(0, len(request_) * 3, size)])
        assert error is None
        assert len(requests) == 4
        assert requests[0] == requests[1] == requests[2]
        assert requests[0].startswith(request_.strip()[:10])
        assert requests[3] == b""
        bodies[size] = body_of(requests[0])
    assert len(set(bodies.values())) == 1


def test_a_body_of_tiny_chunks_costs_no_more_than_a_few_thousand_of_them():
    framed = Framing()
    framed.feed(CHUNKED + b"1\r\nx\r\n" * 1_000_000)
    framed.read()  # the head
    with pytest.raises(MalformedError, match="larger chunks"):
        framed.read()
    assert framed._chunks == framing.SMALL_CHUNKS + framing.SMALL_CHUNKS // framing.CHUNK_BYTES + 1


def test_a_body_of_tiny_segments_is_handed_on_in_few_parts():
    framed, parts = Framing(), 0
    framed.feed(head(b"Content-Length: 100000"))
    assert framed.read()
    for _ in range(100_000):
        framed.feed(b"x")
        parts += bool(framed.read())
    assert framed.ended
    assert parts == 25


def test_a_long_body_may_have_as_many_chunks_as_it_needs():
    chunks = 20_000
    requests, error = handed_on(CHUNKED, *[b"100\r\n" + b"x" * 256 + b"\r\n"] * chunks, b"0\r\n\r\n")
    assert error is None
    assert len(body_of(requests[0])) == 256 * chunks


WORDS = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b";", b"0", b"5", b"ffff", b"\xff", b"a" * 300,
         b"chunked", b"GET / HTTP/1.1", b"Content-Length: 3", b"Transfer-Encoding: chunked"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_whatever_comes_is_refused_or_read_by_h11_in_the_same_way(choice: random.Random):
    seeds = [head(b"Content-Length: 5") + b"hello", CHUNKED + b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: a\r\n\r\n", head()]
    content = bytearray(b"".join(choice.choices(seeds, k=3)))
    for _ in range(choice.randint(1, 4)):
        at = choice.randrange(len(content))
        content[at : at + choice.randint(0, 3)] = choice.choice(WORDS)
    whole = handed_on(bytes(content))
    pieces, at = [], 0
    while at < len(content):
        size = choice.randint(1, 20)
        pieces.append(bytes(content[at : at + size]))
        at += size
    apart = handed_on(*pieces)
    assert len(apart[0]) == len(whole[0])
    assert (apart[1] is None) == (whole[1] is None)
    for one, other in zip(whole[0][:-1], apart[0][:-1], strict=True):  # the last one has not ended
        assert read_by_h11(one) == read_by_h11(other)
