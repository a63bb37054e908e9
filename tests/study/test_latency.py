import numpy as np
import pytest

from hangtag.study import latency


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that goes on while a model is asked, and by nothing else."""
    monkeypatch.setattr(Sleeper, "now", 0.0)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: Sleeper.now)


class Sleeper:
    now = 0.0
    class_names = ("a", "b")

    def __init__(self, seconds: float, calls: list) -> None:
        self.seconds, self.calls = seconds, calls

    def predict_proba(self, images):
        self.calls.append((self.seconds, len(images)))
        Sleeper.now += self.seconds
        return np.full((len(images), 2), 0.5, np.float32)


def test_slower_is_measured_slower_and_models_take_turns(monkeypatch):
    monkeypatch.setattr(latency, "_ROUNDS", 6)
    monkeypatch.setattr(latency, "_BATCHES", 3)
    calls: list = []
    pictures = np.zeros((20, 4, 4), np.uint8)
    quick, slow = latency.measure([Sleeper(0.001, calls), Sleeper(0.004, calls)], [pictures, pictures])
    assert [quick.p50_ms, slow.p50_ms, slow.p99_ms] == pytest.approx([1, 4, 4])
    assert slow.images_per_s == pytest.approx(latency.BATCH / 0.004)
    assert quick.n == slow.n == 60
    turns = [seconds for seconds, _ in calls[12:]]
    assert turns[:20] == [0.001] * 10 + [0.004] * 10
    assert turns[20:30] == [0.001] * 10  # and round again


def test_a_very_slow_model_is_asked_less_often(monkeypatch):
    monkeypatch.setattr(latency, "_ENOUGH_S", 0.01)
    calls: list = []
    pictures = np.zeros((3, 4, 4), np.uint8)
    (slow,) = latency.measure([Sleeper(0.002, calls)], [pictures])
    assert slow.n == 30


def test_a_batch_is_full_even_where_pictures_are_few():
    calls: list = []
    latency.measure([Sleeper(0.001, calls)], [np.zeros((1, 4, 4), np.uint8)])
    assert max(n for _, n in calls) == latency.BATCH
