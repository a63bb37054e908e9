import os
import signal
import threading

import pytest

from hangtag.training.interrupt import listening


@pytest.mark.skipif(os.name == "nt", reason="Windows ends the process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_the_second_insists(number):
    before = signal.getsignal(number)
    with listening() as stop:
        assert not stop.requested
        signal.raise_signal(number)  # os.kill may reach another thread first, and be heard here a moment later
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


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
