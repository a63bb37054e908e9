import pytest

from hangtag.checks.odd_pictures import odd_pictures


@pytest.mark.parametrize(("number", "severity"), [(0, "good"), (1, "note"), (40, "warning")])
def test_weighs_the_share_of_odd_pictures(evidence, number, severity):
    found = odd_pictures(evidence(odd_pictures=number))
    assert (found.severity, found.number) == (severity, number / 4000)


def test_where_nobody_looked_nothing_is_said(evidence):
    assert odd_pictures(evidence(odd_pictures=None)) is None
