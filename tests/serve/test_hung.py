"""A model without end, and decoders that die: the others are answered, and nobody is blamed for it."""

import os
import signal
import threading
import time

import pytest

from hangtag.core.errors import HangtagError
from hangtag.predict import deadline
from hangtag.preprocess import decoder


class Endless:
    """A session that runs until it is told to end, which is when the test says that its time is over."""

    def __init__(self, session, endless):
        self.session, self.endless, self.entered = session, endless, threading.Event()
        self.over, self.here, self.runs = threading.Event(), threading.local(), set()

    def run(self, outputs, inputs, options):
        if not self.endless(inputs["images"]):
            return self.session.run(outputs, inputs, options)
        self.runs.add(self.here.run)
        self.entered.set()
        while not options.terminate:
            time.sleep(0.01)
        raise RuntimeError("Exiting due to terminate flag being set to true.")


@pytest.fixture
def endless(recogniser, monkeypatch):
    """endless(of what pixels) makes the model one."""
    monkeypatch.setattr(deadline, "GRACE_S", 600.0)
    monkeypatch.setattr(deadline, "_CHECK_S", 0.1)
    begin, elapsed = deadline._Run.__init__, deadline._Run.elapsed

    def make(pixels=lambda images: True):
        session = Endless(recogniser.predictor._session, pixels)
        monkeypatch.setattr(recogniser.predictor, "_session", session)
        late = (float("inf"), float("inf"))

        def noted(run, work, stop):
            begin(run, lambda: setattr(session.here, "run", run) or work(), stop)

        def clock(run):
            return late if run in session.runs and session.over.is_set() else elapsed(run)

        monkeypatch.setattr(deadline._Run, "__init__", noted)
        monkeypatch.setattr(deadline._Run, "elapsed", clock)
        return session

    return make


def healthy(ask, status):
    while True:  # what tries the model again may not have begun, or not have ended
        found, headers, answer = ask("GET", "/health")
        if found == status:
            return headers, answer
        time.sleep(0.05)


def test_a_model_without_end_is_a_504_while_others_are_answered_and_health_is_true(
    ask, pictures, endless, monkeypatch, caplog
):
    content, answers = pictures[1][0], []
    with monkeypatch.context() as patched:
        session = endless()
        asking = threading.Thread(target=lambda: answers.append(ask(body=content)))
        asking.start()
        assert session.entered.wait()
        for path in ("/", "/model"):
            assert ask("GET", path)[0] == 200
        session.over.set()
        asking.join()
        status, _, answer = answers[0]
        assert (status, answer["error"]["code"]) == (504, "timeout")
        headers, answer = healthy(ask, 503)
        assert (answer["error"]["code"], headers["retry-after"]) == ("model_hung", "1")
        assert answer["error"]["request_id"] not in caplog.text  # that is no error of the server's
        patched.setattr(session, "endless", lambda images: False)
        assert ask(body=content)[0] == 200
        healthy(ask, 200)


def test_one_image_without_end_does_not_make_the_server_ill(ask, pictures, endless):
    endless(lambda images: images.any()).over.set()  # a blank one is answered
    assert ask(body=pictures[1][0])[0] == 504
    healthy(ask, 200)


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_decoders_that_are_killed_or_stopped_cost_no_image(ask, pictures, monkeypatch, patience_by_state):
    monkeypatch.setattr(decoder.shared(), "timeout_s", 0.5)
    for sign in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        assert ask(body=pictures[1][0])[0] == 200
        for child in list(decoder.shared()._idle.queue):
            os.kill(child.process.pid, sign)
        assert ask(body=pictures[1][0])[0] == 200


def test_a_machine_too_busy_to_decode_is_a_503(ask, pictures, monkeypatch):
    def busy(*_):
        raise HangtagError("decoder_busy", "the image's decoder was killed from outside (SIGKILL)")

    monkeypatch.setattr(decoder.shared(), "read", busy)
    status, headers, answer = ask(body=pictures[1][0])
    assert (status, answer["error"]["code"], headers["retry-after"]) == (503, "decoder_busy", "1")
