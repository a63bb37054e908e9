import numpy as np

from hangtag.checks.confused_pair import confused_pair


def test_two_classes_that_make_most_mistakes_are_named(evidence):
    labels = np.arange(4000) % 4
    said = labels.copy()
    said[np.flatnonzero(labels == 0)[:60]] = 1
    said[np.flatnonzero(labels == 1)[:20]] = 0
    said[np.flatnonzero(labels == 2)[:20]] = 3
    found = confused_pair(evidence(said=said))
    assert (found.severity, found.number) == ("note", 0.8)
    assert found.sentence == "Shirt and Coat are taken for each other 80 times, 80% of all 100 mistakes."


def test_mistakes_all_over_the_place_are_no_pair(evidence):
    assert confused_pair(evidence()).severity == "good"


def test_a_few_mistakes_make_no_pattern(evidence):
    said = np.arange(4000) % 4
    said[0] = 1
    assert confused_pair(evidence(said=said)) is None
