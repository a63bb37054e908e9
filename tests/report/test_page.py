import pytest

from hangtag.report.page import measured, signed


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [(0.0531, "points", "5.3 points"), (0.0068, "share", "0.68%"), (0.9, "share", "90.0%"), (3, "times", "3.0 times")],
)
def test_numbers_say_their_units(number, unit, text):
    assert measured(number, unit) == text


def test_a_minus_is_a_minus():
    assert (signed(-1.234), signed(0.5, 1)) == ("−1.23", "+0.5")
