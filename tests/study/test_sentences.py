import dataclasses

from hangtag.study.sentences import of_pair, on_choosing, sentences


def test_a_real_difference_is_said_with_its_size_interval_and_chance(made):
    (said,) = sentences(made(minutes=(0.94,), lenet5=(0.88,)))
    assert said.startswith("minutes is better than lenet5 by 6.0 points (4.5 to 7.")
    assert said.endswith("p < 0.001 after Holm.")


def test_what_is_not_told_apart_is_said_to_be_so(made):
    (said,) = sentences(made(minutes=(0.94,), other=(0.939,)))
    assert said.startswith("minutes and other are not told apart: 0.1 points (−")


def test_trained_weights_that_differ_by_luck_perhaps_are_said_to(made):
    (said,) = sentences(made(wild=(0.95, 0.80), calm=(0.86, 0.86)))
    assert "as trained here differ" in said
    assert "other seeds could turn it round" in said


def test_the_best_is_held_against_all_first(made):
    assert sentences(made(a=(0.95,), b=(0.9,), c=(0.8,)))[0] == "a is better than both others."
    assert sentences(made(a=(0.95,), b=(0.949,), c=(0.8,)))[0] == (
        "a is ahead, but not told apart from b; it is better than the other."
    )
    assert sentences(made(a=(0.95,), b=(0.949,), c=(0.948,)))[0] == "a is ahead, but not told apart from b and c."


def test_twelve_models_need_no_sixty_six_sentences(made):
    said = sentences(made(**{f"m{i}": (0.95 - i / 50,) for i in range(12)}))
    assert len(said) <= 8
    assert "share a letter" in said[-1]


def test_a_budget_that_did_not_bind_is_said_first_for_whom_and_by_how_much(made):
    def over(name, seconds, epochs):
        row = made.row(name, (0.8,), seconds=seconds, epochs=epochs)
        return dataclasses.replace(row, over_budget=True)

    found = made(rows=(over("svm", 349.0, None), over("slow", 48.0, 1)), quick=(0.9,))
    assert "Not a fair race" not in sentences(found)[0]
    found = dataclasses.replace(found, budget_s=20.0)
    assert sentences(found)[0] == (
        "Not a fair race: the budget of 20 s did not bind for svm (5:49, 17.4 times as long: it has no epochs to cut) "
        "and slow (48 s, 2.4 times as long: one epoch takes longer)."
    )
    record = found.to_dict()
    assert record["budget_exceeded"] == [
        {"recipe": "svm", "seconds": 349.0, "times": 17.45},
        {"recipe": "slow", "seconds": 48.0, "times": 2.4},
    ]
    assert {row["recipe"]: row["budget_exceeded"] is None for row in record["rows"]} == {
        "quick": True,
        "svm": False,
        "slow": False,
    }


def test_one_model_and_none_are_said_plainly(made):
    assert sentences(made(a=(0.9,))) == ("There is one model only: nothing to hold it against.",)
    assert sentences(made()) == ()


def test_who_chooses_by_test_pictures_is_warned(made):
    found = made(a=(0.9,))
    assert "--split val" in on_choosing(found)
    assert "choose by it" in on_choosing(dataclasses.replace(found, split="val"))


def test_a_pair_of_equals_has_a_chance_of_one(made):
    assert "p = 1 after Holm" in of_pair(made(a=(0.9,), b=(0.9,)).pairs[0])
