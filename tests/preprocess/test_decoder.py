"""A picture that takes its decoder down takes nothing else with it."""

import errno
import io
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from hangtag.core.errors import HangtagError
from hangtag.preprocess import decoder as module
from hangtag.preprocess.decode import decode
from hangtag.preprocess.decoder import Decoder
from hangtag.preprocess.photo import convert

# A child whose decoder aborts, spins or eats memory when the picture says so; everything else is the real one.
FAULTY = """
import os, sys
import hangtag.preprocess.decode as real
decode = real.decode
def faulty(content, enough=None):
    if content == b"abort": os.abort()
    if content == b"spin":
        while True: pass
    if content == b"eat": bytearray(2_000_000_000)
    if content == b"lie": os.write(1, b"\\xff" * 64)
    if content == b"mute": os._exit(0)
    return decode(content, enough)
real.decode = faulty
from hangtag.preprocess.decoder import _serve
_serve(sys.stdin.buffer, sys.stdout.buffer)
"""


def encoded(shape=(50, 40), seed=0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def decoder():
    decoder = Decoder(workers=2, timeout_s=600)
    yield decoder
    decoder.close()


@pytest.fixture
def faulty(monkeypatch, tmp_path, patience_by_state):
    (tmp_path / "faulty_decoder.py").write_text(FAULTY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(module, "_MODULE", "faulty_decoder")
    decoder = Decoder(workers=1, timeout_s=1)
    yield decoder
    decoder.close()


def test_gives_what_decoding_here_gives(decoder):
    content = encoded((50, 40, 3))
    for size, colour in ((28, False), (32, True)):
        assert np.array_equal(decoder.convert(content, size, colour), convert(decode(content), size, colour))


def test_hands_reasons_on(decoder):
    for content, code in {
        b"": "image_empty",
        b"<html>": "image_unsupported",
        encoded()[:40]: "image_truncated",
    }.items():
        with pytest.raises(HangtagError) as caught:
            decoder.convert(content, 28, False)
        assert caught.value.code == code


FAULTS = {
    b"abort": "crashed",
    b"lie": "crashed",
    b"mute": "crashed",
    b"eat": "memory ran out",
}


@pytest.mark.parametrize("fault", [b"abort", pytest.param(b"lie", marks=pytest.mark.slow), b"mute", b"eat"])
@pytest.mark.skipif(os.name == "nt", reason="no memory ceiling there")
def test_a_fault_costs_its_own_picture_only(faulty, fault):
    with pytest.raises(HangtagError, match=FAULTS[fault]) as caught:
        faulty.convert(fault, 28, False)
    assert caught.value.code == "image_decoder_failed"
    assert faulty.convert(encoded(), 28, False).shape == (28, 28)


@pytest.mark.slow
def test_an_image_that_uses_up_its_processor_time_is_asked_of_one_child_only(faulty, monkeypatch):
    started, start = [], module._Child.__init__
    monkeypatch.setattr(module._Child, "__init__", lambda child: started.append(1) or start(child))
    with pytest.raises(HangtagError, match="took too long"):
        faulty.convert(b"spin", 28, False)
    assert len(started) == 1
    assert faulty.convert(encoded(), 28, False).shape == (28, 28)


@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
@pytest.mark.parametrize("sign", ["SIGKILL", "SIGTERM", pytest.param("SIGSTOP", marks=pytest.mark.slow)])
def test_a_child_that_is_killed_or_stopped_at_work_is_replaced_and_its_image_is_not_to_blame(faulty, monkeypatch, sign):
    faulty.convert(encoded(), 28, False)
    victims, asked = [], module._Child._ask

    def disturbed(child, *arguments):
        if len(victims) < most:
            victims.append(child)
            os.kill(child.process.pid, getattr(signal, sign))
        return asked(child, *arguments)

    monkeypatch.setattr(module._Child, "_ask", disturbed)
    most = 1
    assert faulty.convert(encoded(), 28, False).shape == (28, 28)
    most = 100
    victims.clear()
    with pytest.raises(HangtagError, match="try again") as caught:
        faulty.convert(encoded(), 28, False)
    assert caught.value.code == "decoder_busy"
    assert len(victims) == 2


def test_a_slow_machine_is_waited_for(monkeypatch, decoder):
    """A child that gets some processor time now and then is not given up."""
    ticks = iter(range(1_000))
    monkeypatch.setattr(module, "_ticks", lambda pid: next(ticks))
    asked = module._Child._ask
    monkeypatch.setattr(module._Child, "_ask", lambda child, *arguments: time.sleep(0.5) or asked(child, *arguments))
    decoder.timeout_s = 0.05
    assert decoder.convert(encoded(), 28, False).shape == (28, 28)


def test_an_image_that_crashes_once_and_is_killed_once_gets_a_third_child(faulty, monkeypatch):
    deaths = [module._DiedError("crashed"), module._DiedError("was killed", from_outside=True)]
    asked = module._Child.ask

    def dying(child, *arguments):
        if deaths:
            child.kill()
            raise deaths.pop()
        return asked(child, *arguments)

    monkeypatch.setattr(module._Child, "ask", dying)
    assert faulty.convert(encoded(), 28, False).shape == (28, 28)
    assert not deaths


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_machine_that_starts_no_process_at_the_moment_is_busy(monkeypatch, number):
    def scarce(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.subprocess, "Popen", scarce)
    with pytest.raises(HangtagError, match="no decoder can be started") as caught:
        Decoder(workers=1).convert(encoded(), 28, False)
    assert caught.value.code == "decoder_busy"


def test_a_child_whose_patience_ended_as_it_answered_is_asked_no_more(decoder, monkeypatch):
    decoder.convert(encoded(), 28, False)
    asked = module._Child.ask

    def late(child, *arguments):
        answer = asked(child, *arguments)
        child._lose_patience()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(module._Child, "ask", late)
        assert decoder.convert(encoded(), 28, False).shape == (28, 28)
    assert decoder._idle.empty()
    assert decoder.convert(encoded(), 28, False).shape == (28, 28)


def test_a_child_killed_from_outside_is_replaced_unnoticed(decoder):
    decoder.convert(encoded(), 28, False)
    child = decoder._idle.get()
    child.process.kill()
    child.process.wait()
    decoder._idle.put(child)
    assert decoder.convert(encoded(), 28, False).shape == (28, 28)


def test_many_threads_share_it_without_mixing_answers(decoder):
    contents = [encoded((28, 28), seed) for seed in range(60)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda content: decoder.convert(content, 28, False), contents))
    assert all(
        np.array_equal(answer, decode(content).pixels) for answer, content in zip(answers, contents, strict=True)
    )
    assert decoder._idle.qsize() <= 2


def test_says_so_if_no_child_can_start(monkeypatch):
    monkeypatch.setattr(module, "_MODULE", "no_such_module_anywhere")
    with pytest.raises(HangtagError, match="does not start") as caught:
        Decoder(workers=1).convert(encoded(), 28, False)
    assert caught.value.code == "internal_decoder"
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(HangtagError, match="does not start"):
        Decoder(workers=1).convert(encoded(), 28, False)


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_ctrl_c_does_not_end_the_child(decoder):
    decoder.convert(encoded(), 28, False)
    child = decoder._idle.queue[0]
    os.kill(child.process.pid, signal.SIGINT)
    decoder.convert(encoded(), 28, False)
    assert decoder._idle.queue[0] is child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_children_of_its_own(decoder):
    decoder.convert(encoded(), 28, False)
    theirs = decoder._idle.queue[0].process.pid
    if (pid := os.fork()) == 0:
        mine = decoder._take().process
        mine.kill()
        os._exit(0 if mine.pid != theirs else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert decoder._idle.qsize() == 1


def test_ends_with_its_parent(tmp_path):
    import subprocess

    script = (
        "import os, time; from hangtag.preprocess.decoder import shared; d = shared(); d.start();"
        "print(d._idle.queue[0].process.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    if os.name == "nt":
        return
    while True:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
                if file.read().split()[2] == "Z":
                    return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.05)


def test_leaves_no_watchdog_behind(decoder):
    before = threading.active_count()
    for _ in range(5):
        decoder.convert(encoded(), 28, False)
    while threading.active_count() > before:
        time.sleep(0.05)


def test_children_that_died_idle_cost_no_picture(decoder):
    for _ in range(2):
        decoder._idle.put(module._Child())
    for child in list(decoder._idle.queue):
        child.ready = child.process.stdout.read(1) == b"!"
        child.process.kill()
        child.process.wait()
    assert decoder.convert(encoded(), 28, False).shape == (28, 28)


def test_a_child_that_died_before_it_was_ready_costs_no_picture(decoder):
    decoder.start()
    (child,) = decoder._idle.queue
    child.process.kill()
    child.process.wait()
    assert decoder.convert(encoded(), 28, False).shape == (28, 28)


def test_counts_the_frames_of_an_animation_it_ignores(decoder):
    frames = [Image.new("L", (28, 28), value) for value in (10, 100, 200)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    pixels, ignored = decoder.read(file.getvalue(), 28, False)
    assert (pixels == 10).all()
    assert ignored == 2
    assert decoder.read(encoded(), 28, False)[1] == 0
