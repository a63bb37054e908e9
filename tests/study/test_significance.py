import numpy as np
import pytest

from hangtag.study.significance import Contender, Pair, holm, letters, pairs, t_interval


def answers(right: np.ndarray) -> np.ndarray:
    """(N, 2) sure answers that are right where `right`; the true class is always 0."""
    return np.where(right[:, None], [1.0, 0.0], [0.0, 1.0]).astype(np.float32)


def contender(name: str, right: int, n: int = 1000, seeds: dict | None = None) -> Contender:
    given = np.arange(n) < right
    return Contender(name, answers(given), seeds or {None: right / n})


LABELS = np.zeros(1000, np.int64)


def test_holms_own_example():
    # Holm 1979: of m values the smallest is held against alpha / m, the next against alpha / (m - 1), ...
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_never_lets_a_larger_p_pass_where_a_smaller_failed():
    raised = holm([0.001, 0.02, 0.021, 0.9])
    assert raised == sorted(raised)
    assert max(raised) <= 1


def test_a_difference_is_of_the_first_less_the_second_and_has_its_interval():
    (pair,) = pairs([contender("good", 950), contender("bad", 850)], LABELS)
    assert (pair.first, pair.second, pair.real, pair.interval) == ("good", "bad", True, "pictures")
    assert pair.difference == pytest.approx(0.1)
    assert 0 < pair.low < 0.1 < pair.high


def test_equals_are_not_told_apart():
    (pair,) = pairs([contender("a", 900), contender("b", 898)], LABELS)
    assert not pair.real
    assert pair.p == pytest.approx(0.5)


def test_with_several_seeds_the_interval_speaks_of_other_trainings():
    seeds = {0: 0.95, 1: 0.94, 2: 0.96}, {0: 0.85, 1: 0.85, 2: 0.86}
    (pair,) = pairs([contender("good", 950, seeds=seeds[0]), contender("bad", 850, seeds=seeds[1])], LABELS)
    by_seed = [0.10, 0.09, 0.10]
    assert pair.interval == "seeds"
    assert pair.difference == pytest.approx(np.mean(by_seed))
    assert (pair.low, pair.high) == pytest.approx(t_interval(by_seed))
    assert pair.real


def test_what_another_seed_could_turn_round_is_not_called_real():
    seeds = {0: 0.95, 1: 0.80}, {0: 0.85, 1: 0.85}
    (pair,) = pairs([contender("wild", 950, seeds=seeds[0]), contender("calm", 850, seeds=seeds[1])], LABELS)
    assert pair.p_holm < 0.001
    assert not pair.real
    assert pair.only_these_weights


def test_a_model_without_seeds_is_held_against_every_training_of_the_other():
    recipe = contender(
        "recipe", 940, seeds={0: 0.940, 1: 0.956, 2: 0.957}
    )  # ahead on average, behind with its first seed
    (pair,) = pairs([recipe, contender("bundle", 950)], LABELS)
    assert pair.p_holm < 0.01
    assert not pair.real
    milder = contender("recipe", 930, seeds={0: 0.930, 1: 0.955, 2: 0.956})
    (pair,) = pairs([contender("bundle", 950), milder], LABELS)
    assert not pair.real
    (pair,) = pairs([contender("bundle", 950), contender("recipe", 900, seeds={0: 0.90, 1: 0.91})], LABELS)
    assert pair.real


def test_two_seeds_are_too_few_for_an_interval_but_must_agree():
    right = {0: 0.95, 1: 0.94}
    (pair,) = pairs([contender("a", 950, seeds=right), contender("b", 850, seeds={0: 0.85, 1: 0.86})], LABELS)
    assert (pair.interval, pair.real) == ("pictures", True)
    assert pair.difference == pytest.approx(0.1)


def test_only_seeds_both_came_through_with_are_paired():
    seeds = {0: 0.95, 1: 0.94, 2: 0.94, 5: 0.2}, {0: 0.85, 1: 0.84, 2: 0.84, 3: 0.9}
    (pair,) = pairs([contender("a", 950, seeds=seeds[0]), contender("b", 850, seeds=seeds[1])], LABELS)
    assert pair.difference == pytest.approx(0.10)


def test_students_interval_is_scipys_textbook_one():
    # n = 3, mean 2, sd 1: 2 ± 4.3027 / sqrt(3)
    assert t_interval([1, 2, 3]) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


def pair(first: str, second: str, real: bool) -> Pair:
    return Pair(first, second, 0.1, 0.05, 0.15, "pictures", 0.01, 0.01, real)


def test_models_share_a_letter_exactly_if_they_are_not_told_apart():
    names = ["a", "b", "c", "d", "e"]
    generator = np.random.default_rng(0)
    for _ in range(200):
        found = [
            pair(one, two, bool(generator.random() < 0.5)) for i, one in enumerate(names) for two in names[i + 1 :]
        ]
        given = letters(names, found)
        for one in found:
            assert bool(set(given[one.first]) & set(given[one.second])) != one.real
        assert given["a"].startswith("a")


def test_more_than_26_groups_still_have_letters():
    names = [f"m{i}" for i in range(30)]
    found = [pair(one, two, True) for i, one in enumerate(names) for two in names[i + 1 :]]
    given = letters(names, found)
    assert given["m0"] == "a"
    assert given["m29"] == "ad"
