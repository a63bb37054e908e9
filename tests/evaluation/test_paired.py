import numpy as np
import pytest

from hangtag.evaluation.paired import Paired, paired


def says(classes):
    return np.eye(3, dtype=np.float32)[classes]


def test_counts_who_is_right_where():
    labels = np.array([0, 0, 1, 1, 2])
    found = paired(says([0, 0, 1, 2, 1]), says([0, 1, 1, 1, 0]), labels)
    assert found == Paired(both_right=2, only_first=1, only_second=1, both_wrong=1)
    assert (found.n, found.difference) == (5, 0.0)


def test_the_difference_is_of_the_accuracies():
    assert Paired(80, 2, 10, 8).difference == pytest.approx(0.90 - 0.82)


def test_p_is_mcnemars_exact_one():
    assert Paired(80, 2, 10, 8).p_value == pytest.approx(
        2 * sum([1, 12, 66]) / 2**12
    )  # binomial(12, 1/2), <= 2, doubled
    assert Paired(90, 0, 0, 10).p_value == 1.0


def test_the_interval_covers_the_truth_19_times_out_of_20():
    generator = np.random.default_rng(0)
    chances = (0.85, 0.03, 0.07, 0.05)
    covered = 0
    for _ in range(2000):
        low, high = Paired(*map(int, generator.multinomial(300, chances))).interval
        covered += low <= 0.04 <= high
    assert 0.935 <= covered / 2000 <= 0.975


def test_equal_models_have_an_interval_around_nothing():
    low, high = Paired(100, 0, 0, 0).interval
    assert low < 0 < high


def test_refuses_other_pictures():
    with pytest.raises(ValueError, match="want"):
        paired(says([0, 1]), says([0]), np.array([0, 1]))
