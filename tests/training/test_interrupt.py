import os
import signal
import subprocess
import sys
import threading

import pytest

from hangtag.training.interrupt import listening

SCRIPT = """
import signal, sys
from hangtag.training.interrupt import listening

number = int(sys.argv[1])
before = signal.getsignal(number)
with listening() as stop:
    assert not stop.requested
    signal.raise_signal(number)
    assert stop.requested
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt:
        print("insisted")
assert signal.getsignal(number) is before
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends the process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_the_second_insists(number):
    # In a process of its own: signals go to a main thread, and a parallel test run may use its main thread otherwise.
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(int(number))], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "insisted\n"), done.stderr


def test_handlers_come_back_after_a_failure():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="x"), listening():
        raise ValueError("x")
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_it_listens_to_nothing_and_fails_at_nothing():
    heard = []

    def work() -> None:
        with listening() as stop:
            heard.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [False]
