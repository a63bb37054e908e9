"""Promises every registered schedule keeps."""

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part
from hangtag.training import schedules

GRID = [i / 1000 for i in range(1000)]


@pytest.fixture(params=schedules.register.names())
def schedule(request):
    return schedules.register.get(request.param)


def test_stays_within_zero_and_one_and_reaches_its_peak(schedule):
    factors = [schedule(progress) for progress in GRID]
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) > 0.999


def test_is_a_pure_function_of_progress(schedule):
    assert [schedule(progress) for progress in GRID] == [schedule(progress) for progress in reversed(GRID)][::-1]


def test_never_stands_still_at_zero_while_training(schedule):
    assert all(schedule(progress) > 0 for progress in GRID)


def test_one_cycle_rises_to_its_peak_and_falls_to_nearly_nothing():
    one_cycle = schedules.register.get("one_cycle")
    assert one_cycle(0.0, start=0.2) == pytest.approx(0.2)
    assert one_cycle(0.25, warmup=0.25) == pytest.approx(1.0)
    assert one_cycle(0.625, warmup=0.25) == pytest.approx(0.5)
    assert one_cycle(0.999) < 0.002
    assert one_cycle(0.0, warmup=0.0) == 1.0
    assert one_cycle(0.5, warmup=1.0, start=0.0) == pytest.approx(0.5)


def test_cosine_is_half_way_down_in_the_middle():
    cosine = schedules.register.get("cosine")
    assert cosine(0.5, warmup=0.0) == pytest.approx(0.5)
    assert cosine(0.5, warmup=0.0, end=0.2) == pytest.approx(0.6)


def test_step_is_cut_at_each_milestone():
    step = schedules.register.get("step")
    factors = [step(progress) for progress in (0.49, 0.5, 0.74, 0.75)]
    assert factors == pytest.approx([1, 0.1, 0.1, 0.01])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("one_cycle", {"warmup": 1.2}),
        ("one_cycle", {"end": -0.1}),
        ("cosine", {"warmup": -1.0}),
        ("step", {"factor": 0.0}),
        ("step", {"milestones": (0.5, 1.5)}),
    ],
)
def test_refuses_options_that_mean_nothing(name, options):
    with pytest.raises(HangtagError, match=f"{name}.{next(iter(options))}") as caught:
        Part(name, **options).call(schedules.register.get(name), 0.0)
    assert caught.value.code == "usage_value"
