"""While others are at work, threads of training sleep at once; what they compute stays as it is."""

import sys
import threading

import pytest

from hangtag.training import contention
from hangtag.training.contention import BUSY, FREE, LOOK_S, Contention


@pytest.fixture
def machine(monkeypatch):
    """A clock, and how long threads have been kept waiting by then; teams that are held are counted, not started."""

    class Machine:
        now, waited, held = 0.0, 0.0, 0

        def passes(self, share):
            self.now += LOOK_S
            self.waited += share * LOOK_S

    found = Machine()

    class Team:
        def __init__(self, libgomp):
            found.held += 1

        def end(self):
            found.held -= 1

    monkeypatch.setattr(contention.time, "monotonic", lambda: found.now)
    monkeypatch.setattr(contention, "_waited_s", lambda: found.waited)
    monkeypatch.setattr(contention, "_SleepingTeam", Team)
    return found


def test_threads_sleep_while_others_are_at_work_and_spin_again_afterwards(machine, tmp_path):
    with Contention(tmp_path) as found:
        seen = []
        for share in (0, FREE / 2, BUSY * 2, BUSY / 2, BUSY * 2, FREE / 2, 0, BUSY * 2):
            machine.passes(share)
            found.look()
            seen.append(found.busy)
            assert machine.held == found.busy
    assert seen == [False, False, True, True, True, False, False, True]  # between the two bounds it stays as it is
    assert machine.held == 0


def test_it_looks_four_times_a_second_not_after_each_step(machine, tmp_path):
    with Contention(tmp_path) as found:
        machine.now, machine.waited = LOOK_S / 2, 10.0
        found.look()
        assert not found.busy


def test_without_libgomp_or_without_the_systems_word_nothing_is_done(machine, tmp_path, monkeypatch):
    with Contention(None) as found:
        machine.passes(1)
        found.look()
        assert not found.busy
    monkeypatch.setattr(contention, "_waited_s", lambda: None)
    with Contention(tmp_path) as found:
        machine.passes(1)
        found.look()
        assert not found.busy


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp and /proc are Linux's")
def test_a_held_team_of_the_real_library_ends_with_all_its_threads(monkeypatch):
    monkeypatch.setattr(contention.torch, "get_num_threads", lambda: 2)
    library = contention.libgomp()
    if library is None:
        pytest.skip("this PyTorch brings no libgomp")
    tasks = contention._TASKS
    before = len(list(tasks.iterdir()))
    team = contention._SleepingTeam(library)
    while len(list(tasks.iterdir())) < before + 2:  # the one that waits, and at least one more
        assert team._thread.is_alive()
    team.end()
    assert "hangtag-sleeping" not in {thread.name for thread in threading.enumerate()}
    while len(list(tasks.iterdir())) > before:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_waiting_for_a_core_only_grows():
    first = contention._waited_s()
    assert first is None or 0 <= first <= contention._waited_s()
