"""The service over real sockets: what it answers, and what it refuses."""

import contextlib
import json
import re
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hangtag.core.errors import HangtagError
from hangtag.serve import app, guard, server


def test_a_served_picture_gets_the_label_recognise_gives(ask, pictures, recogniser):
    images, files = pictures
    for expected, content in zip(recogniser.recognise(images), files, strict=True):
        status, _, answer = ask(body=content)
        assert status == 200
        assert list(answer) == ["label", "confidence", "top", "status", "why", "model", "digest"]
        assert answer["label"] == expected.label
        assert answer["confidence"] == pytest.approx(expected.confidence, abs=2e-6)
        assert [row["label"] for row in answer["top"]] == [label for label, _ in expected.top]


def test_answers_do_not_mix_under_load(ask, pictures, recogniser):
    images, files = pictures
    expected = recogniser.recognise(images)
    with ThreadPoolExecutor(12) as senders:
        answers = list(senders.map(lambda content: ask(body=content), files * 4))
    for (status, _, answer), meant in zip(answers, list(expected) * 4, strict=True):
        assert (status, answer["label"]) == (200, meant.label)
        assert answer["confidence"] == pytest.approx(meant.confidence, abs=2e-6)


def test_top_says_how_many_classes_are_named(ask, pictures):
    assert [len(ask(path=f"/recognise?top={top}", body=pictures[1][0])[2]["top"]) for top in (1, 5, 99)] == [1, 5, 10]


@pytest.mark.parametrize("top", ["0", "-1", "x", "", "1e3", "９", "9" * 5000])
def test_a_top_that_is_no_number_is_refused(ask, pictures, top):
    from urllib.parse import quote

    status, _, answer = ask(path=f"/recognise?top={quote(top)}", body=pictures[1][0])
    assert (status, answer["error"]["code"]) == (400, "request_value")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 422, "image_empty"),
        (b"hello", {}, 415, "image_unsupported"),
        (b"<html><script>alert(1)</script>", {}, 415, "image_unsupported"),
        (b"\xff\xd8\xff\xe0abc", {}, 422, "image_truncated"),
        (b"x", {"Content-Encoding": "gzip"}, 415, "request_unsupported"),
        (b"x", {"Content-Type": "multipart/form-data; boundary=x"}, 415, "request_unsupported"),
        (b"x", {"Content-Length": "20000001"}, 413, "request_too_large"),
    ],
)
def test_what_is_no_picture_is_told_why(ask, body, headers, status, code):
    got, sent, answer = ask(body=body, headers=headers)
    assert (got, answer["error"]["code"]) == (status, code)
    assert list(answer["error"]) == ["code", "message", "request_id"]
    assert answer["error"]["request_id"] == sent["x-request-id"]
    assert "\n" not in answer["error"]["message"]


def test_a_body_without_a_length_is_counted_while_it_comes(port, monkeypatch):
    monkeypatch.setattr(app, "MAX_BYTES", 100_000)
    with socket.create_connection(("127.0.0.1", port)) as endless:
        endless.sendall(b"POST /recognise HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):  # the last one is too much; no end is ever sent
            endless.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        head, answer = heard(endless)
    assert head.startswith(b"HTTP/1.1 413")
    assert answer["error"]["code"] == "request_too_large"


def test_a_picture_that_never_comes_is_not_waited_for(port, monkeypatch):
    monkeypatch.setattr(app, "RECEIVE_S", 0.2)
    monkeypatch.setattr(guard, "LET_RUN_S", 0.2)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
        answer = slow.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_timeout"


def heard(connection):
    """The answer on a connection that stays open: its head, and as much as that announces."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(10_000)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(body) < length:
        body += connection.recv(10_000)
    return head, json.loads(body)


UNFINISHED = b"POST /recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n"


def test_too_many_at_once_are_told_to_come_back_before_they_send(ask, pictures, recogniser, port, monkeypatch):
    monkeypatch.setattr(app, "INSIDE", 2)
    entered, go_on = threading.Semaphore(0), threading.Event()
    recognise = recogniser.recognise

    def slowly(*arguments):
        entered.release()
        assert go_on.wait()
        return recognise(*arguments)

    monkeypatch.setattr(recogniser, "recognise", slowly)
    with ThreadPoolExecutor(2) as senders:
        inside = [senders.submit(ask, body=pictures[1][0]) for _ in range(2)]
        try:
            for _ in range(2):
                assert entered.acquire()
            with socket.create_connection(("127.0.0.1", port)) as third:
                third.sendall(UNFINISHED)
                head, answer = heard(third)  # while the two are inside, and nothing more of this one has come
            assert head.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 1" in head
            assert answer["error"]["code"] == "busy"
        finally:
            go_on.set()
        assert [sender.result()[0] for sender in inside] == [200, 200]
    assert ask(body=pictures[1][0])[0] == 200


def test_those_who_began_to_send_when_there_was_room_are_told_too(ask, pictures, recogniser, port, monkeypatch):
    monkeypatch.setattr(app, "INSIDE", 2)
    go_on = threading.Event()
    recognise = recogniser.recognise

    def slowly(*arguments):
        assert go_on.wait()
        return recognise(*arguments)

    monkeypatch.setattr(recogniser, "recognise", slowly)
    content = pictures[1][0]
    head = f"POST /recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    senders = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
    for sender in senders:
        sender.sendall(head + content[:10])
    time.sleep(0.2)
    for sender in senders:
        sender.sendall(content[10:])
    try:
        readable = []
        while len(readable) < 3:
            readable = select.select(senders, [], [], 0.1)[0]
    finally:
        go_on.set()
    answers = [heard(sender) for sender in senders]
    for sender in senders:
        sender.close()
    assert len(readable) == 3
    assert sorted(head[9:12] for head, _ in answers) == [b"200"] * 2 + [b"503"] * 3


def test_who_sends_slowly_keeps_nobody_out(ask, pictures, port, monkeypatch):
    monkeypatch.setattr(app, "INSIDE", 2)
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
    for connection in slow:
        connection.sendall(UNFINISHED + b"x")
    time.sleep(0.2)
    assert ask(body=pictures[1][0])[0] == 200
    for connection in slow:
        connection.close()


def test_pictures_that_arrive_fill_only_so_much_memory_and_give_it_back(ask, pictures, port, monkeypatch):
    monkeypatch.setattr(app, "HELD", 8_000 + len(pictures[1][0]) // 2)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(UNFINISHED + b"x" * 8_000)
        status = 200
        while status == 200:  # until it has arrived
            status, headers, answer = ask(body=pictures[1][0])
        assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "busy", "1")
    while status != 200:  # who hangs up leaves room for others
        status = ask(body=pictures[1][0])[0]


def test_a_refusal_does_not_wait_for_the_body(port):
    for head in (UNFINISHED.replace(b"localhost", b"evil.example"), UNFINISHED.replace(b"9000", b"90000000")):
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.sendall(head)
            head, answer = heard(sender)
        assert head.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
        assert b"connection: close" in head
        assert answer["error"]["request_id"]


def test_an_answer_that_is_not_read_is_given_up(port, monkeypatch):
    monkeypatch.setattr(server, "SLOW_READ_S", 0.3)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.connect(("127.0.0.1", port))
        with pytest.raises(ConnectionError):  # reset, and not waited for without end
            deaf.sendall(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200_000)


def test_more_connections_than_are_answered_are_told_to_come_back(port, ask, monkeypatch):
    status = 0
    while status != 503:  # earlier tests' connections may still be closing
        monkeypatch.setattr(server, "CONNECTIONS", 12)
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        status, headers, answer = ask("GET", "/health")
        for connection in idle:
            connection.close()
    assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "busy", "1")
    assert headers["content-security-policy"]
    monkeypatch.undo()
    assert ask("GET", "/health")[0] == 200


@pytest.mark.parametrize("path", ["/recognise", "/recognise?top=x", "/nothing", "/recognise/"])
def test_who_is_refused_while_sending_still_hears_why(ask, path):
    """A connection closed with bytes unread is reset, and with it goes the answer."""
    status, headers, answer = ask(path=path, body=b"x" * 30_000_000, headers={"Content-Type": "text/plain"})
    assert status in (400, 404, 413)
    assert list(answer) == ["error"]
    assert headers["x-request-id"] == answer["error"]["request_id"]
    assert headers["x-content-type-options"] == "nosniff"


def test_a_body_without_end_is_not_listened_to_for_ever(port, monkeypatch):
    monkeypatch.setattr(guard, "LET_RUN_S", 0.2)
    with socket.create_connection(("127.0.0.1", port)) as endless:
        endless.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        answer = endless.makefile("rb").read()  # ends because the server hangs up
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("begun", [b"", b"GET /health HT"])
@pytest.mark.parametrize("before", [0, 2])
def test_a_connection_that_asks_nothing_is_closed(port, monkeypatch, before, begun):
    health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as silent:
        if before:  # the clock runs from the last answer, and that is the second one's
            silent.sendall(health)
            assert heard(silent)[0].startswith(b"HTTP/1.1 200")
            monkeypatch.setattr(server, "HEADERS_S", 0.2)
            silent.sendall(health + begun)
            assert heard(silent)[0].startswith(b"HTTP/1.1 200")
            assert silent.recv(100) == b""
    if not before:
        monkeypatch.setattr(server, "HEADERS_S", 0.2)
        with socket.create_connection(("127.0.0.1", port)) as silent, contextlib.suppress(ConnectionError):
            silent.sendall(begun)  # which may come too late
            assert silent.recv(100) == b""


def test_an_unknown_address_or_method_is_told_what_there_is(ask):
    assert ask("GET", "/nothing")[2]["error"]["code"] == "not_found"
    assert ask("GET", "/../../etc/passwd")[0] == 404
    status, headers, answer = ask("GET", "/recognise")
    assert (status, headers["allow"], answer["error"]["code"]) == (405, "POST", "method_not_allowed")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("/secret/path"), "internal_error"),
        (HangtagError("internal_decoder", "/secret/path"), "internal_decoder"),
    ],
)
def test_a_defect_is_told_in_the_terminal_and_keeps_its_insides_there(
    ask, pictures, recogniser, monkeypatch, caplog, error, code
):
    def fail(*_):
        raise error

    monkeypatch.setattr(recogniser, "recognise", fail)
    status, headers, answer = ask(body=pictures[1][0])
    assert (status, answer["error"]["code"]) == (500, code)
    assert "secret" not in json.dumps(answer)
    assert headers["content-security-policy"]
    while headers["x-request-id"] not in caplog.text:  # it is written after the answer
        time.sleep(0.02)
    assert "/secret/path" in caplog.text


def test_the_model_says_who_it_is(ask, recogniser):
    status, _, about = ask("GET", "/model")
    assert status == 200
    assert about["class_names"] == list(recogniser.class_names)
    assert about["digest"] == recogniser.card.files["model.onnx"]["sha256"][:12]


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/icon.svg", "/model", "/nothing"])
def test_every_answer_tells_browsers_to_be_strict(ask, path):
    _, headers, _ = ask("GET", path)
    assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["access-control-allow-origin"] is None
    assert headers["server"] is None


def test_no_address_is_fetched_and_no_path_is_read(ask, pictures, tmp_path):
    """What is sent is never a place to look, even if a picture lies there."""
    (tmp_path / "a.png").write_bytes(pictures[1][0])
    for place in (str(tmp_path / "a.png"), (tmp_path / "a.png").as_uri()):
        assert ask(body=place.encode())[2]["error"]["code"] == "image_unsupported"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),  # another port of this machine
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
        ({"Origin": "http://LOCALHOST:8000"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_may_not_send_pictures(ask, pictures, headers, status):
    assert ask(body=pictures[1][0], headers={"Host": "localhost:8000", **headers})[0] == status


def test_head_is_get_without_a_body(ask):
    status, _, content = ask("HEAD", "/")
    assert (status, content) == (200, b"")
