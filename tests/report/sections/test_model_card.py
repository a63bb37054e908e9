import json

from hangtag.report.sections.model_card import model_card


def test_a_fashion_mnist_model_says_that_white_garments_were_left_out(judged):
    found = model_card(judged(card={"data": {"name": "fashion-mnist", "training": 55_000, "digest": "abc"}}))
    assert any("White garments" in limit for limit in found.limits)
    assert any("55,000" in line for line in found.data)
    assert any("abc" in line for line in found.data)
    assert found.licence[1] == "Data: MIT, Zalando Research."
    assert found.command == "hangtag train recipe.json"


def test_a_model_of_own_photos_claims_nothing_of_them(judged):
    found = model_card(judged(card={"data": {"name": "my shop"}, "full": True}))
    assert not any("White" in limit for limit in found.limits)
    assert found.command == "hangtag train recipe.json --full --data PATH"
    assert "user’s own" in found.licence[1]


def test_the_recipe_is_given_as_json_to_train_again(judged):
    recipe = {"name": "x", "model": {"name": "lenet5"}}
    assert json.loads(model_card(judged(card={"recipe": recipe})).recipe) == recipe


def test_facts_that_are_unknown_are_left_out(judged):
    names = [name for name, _ in model_card(judged()).facts]
    assert "commit" not in names
    assert "recipe" in names


def test_what_a_model_builds_upon_is_named_with_its_digest(judged):
    start = {"from": "runs/pretrain", "sha256": "a" * 64, "loaded": 3, "left": 2}
    teachers = [{"bundle": "large", "sha256": "b" * 64}]
    facts = dict(model_card(judged(card={"training": {"start": start, "teachers": teachers}})).facts)
    assert facts["started from"].startswith("runs/pretrain (SHA-256 aaaaaaaaaaaa")
    assert facts["taught by"].startswith("large (")


def test_an_ensemble_says_how_it_is_put_together_again(judged):
    members = [{"bundle": "one", "sha256": "a" * 64}, {"bundle": "my runs/two", "sha256": "b" * 64}]
    found = model_card(judged(card={"training": {"ensemble": "average", "members": members}}))
    assert found.command == "hangtag ensemble one 'my runs/two' --how average --data PATH"
    assert found.recipe == ""
    assert "made of" in dict(found.facts)


def test_what_cannot_be_repeated_is_said_above_the_command(judged):
    training = {"teachers": [{"bundle": "gone", "sha256": "b" * 64}]}
    found = model_card(judged(card={"commit": "abc+changes", "training": training, "data": {"name": "fashion-mnist"}}))
    assert found.cannot.startswith("Made from commit abc with uncommitted changes; its teachers are not ")
    assert found.command == "hangtag train recipe.json --set teachers= --set teacher_views=0"
    assert dict(found.facts)["commit"] == "abc with uncommitted changes"
    assert model_card(judged()).cannot == ""
