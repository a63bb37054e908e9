import click
import pytest

from hangtag.cli._duration import DURATION


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400), ("2M", 120)]
)
def test_times_as_people_write_them(text, seconds):
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "m", "-5m", "0", "10 parsecs", "1d", "5m!", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no time"):
        DURATION.convert(text, None, None)
