import pytest

from hangtag.checks.suspect_labels import suspect_labels


@pytest.mark.parametrize(("number", "severity"), [(0, "good"), (1, "note"), (40, "warning"), (200, "serious")])
def test_weighs_the_share_of_doubted_labels(evidence, number, severity):
    found = suspect_labels(evidence(suspect_labels=number))
    assert (found.severity, found.number) == (severity, number / 4000)


def test_where_nobody_looked_nothing_is_said(evidence):
    assert suspect_labels(evidence(suspect_labels=None)) is None
