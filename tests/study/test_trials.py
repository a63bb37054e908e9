import pytest

from hangtag.study.trials import Trial, best, front, margin


def trial(number, accuracy, seconds, state="complete"):
    return Trial(number=number, state=state, settings={}, val_accuracy=accuracy, seconds=seconds)


def test_the_front_is_what_nothing_beats():
    numbers = [(0.9, 10), (0.8, 5), (0.85, 12), (0.8, 4), (0.95, 20), (0.9, 10)]
    found = [trial(i, *both) for i, both in enumerate(numbers)]
    assert [t.number for t in front(found)] == [3, 0, 4]


def test_trials_that_were_not_finished_are_on_no_front():
    assert front([trial(0, 0.99, None, "pruned"), trial(1, None, None, "failed")]) == []


def test_the_best_is_the_most_accurate_and_of_two_the_faster():
    found = [trial(0, 0.9, 10), trial(1, 0.95, 9), trial(2, 0.95, 8)]
    assert best(found, "accuracy", found[0]) == found[2]


def test_against_time_the_best_is_the_fastest_that_is_no_less_accurate_than_the_start():
    found = [trial(0, 0.9, 10), trial(1, 0.95, 9), trial(2, 0.9, 4), trial(3, 0.89, 1)]
    assert best(found, "accuracy-time", found[0]) == found[2]
    assert best([], "accuracy-time", None) is None


def test_an_accuracy_on_few_pictures_is_known_roughly():
    assert margin(0.9, 10_000) == pytest.approx(0.00588, abs=1e-5)  # 1.96 * sqrt(0.9 * 0.1 / 10000)
    assert margin(0.5, 100) == pytest.approx(0.098)
