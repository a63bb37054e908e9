import pytest

from hangtag.checks.near_duplicates import near_duplicates


@pytest.mark.parametrize(("number", "severity"), [(0, "good"), (1, "note"), (20, "warning"), (80, "serious")])
def test_weighs_the_share_of_test_pictures_with_a_twin(evidence, number, severity):
    found = near_duplicates(evidence(twins_across=number))
    assert (found.severity, found.number) == (severity, number / 4000)


def test_where_nobody_looked_nothing_is_said(evidence):
    assert near_duplicates(evidence(twins_across=None)) is None
