import re

import pytest

from hangtag.report.figures.scatter import Axis, Point, scatter, seconds_axis

SHARE = Axis("accuracy", "{:.0%}".format)
TIME = seconds_axis("training time")
POINTS = [
    Point("lenet5", 20, 0.90, "90% in 20 s", size=60_000),
    Point("minutes", 85, 0.94, "94% in 85 s", y_bar=(0.93, 0.95), size=300_000),
    Point("svm", 40, 0.89, "89% in 40 s"),
]


def circles(drawn: str) -> dict[str, tuple[float, float, float]]:
    found = re.findall(r'data-tip="(\w+)[^"]*"><circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', drawn)
    return {name: (float(x), float(y), float(r)) for name, x, y, r in found}


def test_more_is_further_right_and_higher_and_larger():
    drawn = circles(scatter("x", POINTS, TIME, SHARE, size_title="parameters"))
    assert drawn["lenet5"][0] < drawn["svm"][0] < drawn["minutes"][0]
    assert drawn["minutes"][1] < drawn["lenet5"][1] < drawn["svm"][1]  # y grows downwards in SVG
    assert drawn["minutes"][2] > drawn["lenet5"][2]


def test_equal_factors_are_equal_steps_where_the_axis_is_logarithmic():
    drawn = circles(scatter("x", [Point(name, x, 0.9) for name, x in (("a", 1), ("b", 10), ("c", 100))], TIME, SHARE))
    assert drawn["b"][0] - drawn["a"][0] == pytest.approx(drawn["c"][0] - drawn["b"][0], abs=0.02)


def test_a_dot_without_a_size_is_hollow_only_beside_others_that_have_one():
    assert scatter("x", POINTS, TIME, SHARE, size_title="parameters").count("hollow") == 1
    assert "hollow" not in scatter("x", POINTS, TIME, SHARE)


def test_spread_is_a_bar_as_long_as_it_says():
    (bar,) = re.findall(r'<line [^>]*class="whisker"[^>]*>', scatter("x", POINTS, TIME, SHARE))
    top, bottom = (float(re.findall(rf'{end}="([\d.]+)"', bar)[0]) for end in ("y2", "y1"))
    assert top < circles(scatter("x", POINTS, TIME, SHARE))["minutes"][1] < bottom


def test_names_that_would_meet_give_way_to_each_other():
    crowd = [Point(f"recipe number {i}", 20 + i / 10, 0.9 + i / 10_000) for i in range(5)]
    drawn = scatter("x", [*crowd, Point("far", 900, 0.8)], TIME, SHARE)
    places = [(float(x), float(y)) for x, y in re.findall(r'x="([\d.]+)" y="([\d.]+)" class="strong name"', drawn)]
    width = 6.9 * len("recipe number 0")
    pairs = [(a, b) for i, a in enumerate(places[:5]) for b in places[:i]]
    assert all(abs(a[1] - b[1]) >= 13.9 or abs(a[0] - b[0]) >= width - 0.1 for a, b in pairs)


def test_the_front_is_a_staircase_from_point_to_point():
    drawn = scatter("x", POINTS, TIME, SHARE, front=[1, 0])
    (stairs,) = re.findall(r'<polyline points="([^"]*)" class="front"', drawn)
    corners = [tuple(map(float, corner.split(","))) for corner in stairs.split()]
    assert len(corners) == 3
    assert corners[0][1] == corners[1][1]
    assert corners[1][0] == corners[2][0]


def test_one_point_is_drawn_and_none_is_refused():
    assert "NaN" not in scatter("x", POINTS[:1], TIME, SHARE)
    with pytest.raises(ValueError, match="one point"):
        scatter("x", [], TIME, SHARE)
    with pytest.raises(ValueError, match="above 0"):
        scatter("x", [Point("a", 0, 1)], TIME, SHARE)


def test_names_stay_text_and_it_is_read_out_in_words():
    drawn = scatter("t", [Point("<script>", 20, 0.9, "x")], TIME, SHARE)
    assert "<script>" not in drawn
    assert 'aria-label="t. &lt;script&gt; 20 s, 90%"' in drawn


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "200 ms"), (20, "20 s"), (120, "2 min"), (7200, "2 h")])
def test_time_is_counted_as_people_do(seconds, text):
    assert TIME.shown(seconds) == text
