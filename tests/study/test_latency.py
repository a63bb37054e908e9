import time

import numpy as np

from hangtag.study import latency


class Sleeper:
    class_names = ("a", "b")

    def __init__(self, seconds: float, calls: list) -> None:
        self.seconds, self.calls = seconds, calls

    def predict_proba(self, images):
        self.calls.append((self.seconds, len(images)))
        time.sleep(self.seconds)
        return np.full((len(images), 2), 0.5, np.float32)


def test_slower_is_measured_slower_and_models_take_turns(monkeypatch):
    monkeypatch.setattr(latency, "_ROUNDS", 6)
    monkeypatch.setattr(latency, "_BATCHES", 3)
    calls: list = []
    pictures = np.zeros((20, 4, 4), np.uint8)
    quick, slow = latency.measure([Sleeper(0.0, calls), Sleeper(0.004, calls)], [pictures, pictures])
    assert quick.p50_ms < 4 <= slow.p50_ms <= slow.p99_ms
    assert slow.images_per_s <= latency.BATCH / 0.004
    assert quick.n == slow.n == 60
    turns = [seconds for seconds, _ in calls[12:]]
    assert turns[:20] == [0.0] * 10 + [0.004] * 10
    assert turns[20:30] == [0.0] * 10  # and round again


def test_a_very_slow_model_is_asked_less_often(monkeypatch):
    monkeypatch.setattr(latency, "_ENOUGH_S", 0.01)
    calls: list = []
    pictures = np.zeros((3, 4, 4), np.uint8)
    (slow,) = latency.measure([Sleeper(0.002, calls)], [pictures])
    assert slow.n == 30


def test_a_batch_is_full_even_where_pictures_are_few():
    calls: list = []
    latency.measure([Sleeper(0.0, calls)], [np.zeros((1, 4, 4), np.uint8)])
    assert max(n for _, n in calls) == latency.BATCH
