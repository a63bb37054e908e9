import json
from dataclasses import replace

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.recipe import ClassicalRecipe, NetworkRecipe, Part, fingerprint, from_dict, override, to_dict

BASE = NetworkRecipe(
    name="base", model=Part("lenet5", filters=(6, 16)), augment=(Part("flip"), Part("shift", pixels=2)), patience=3
)


def refused(code: str, *settings: str) -> str:
    with pytest.raises(HangtagError) as caught:
        override(BASE, settings)
    assert caught.value.code == code
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("epochs=3", {"epochs": 3}),
        (" epochs = 3 ", {"epochs": 3}),
        ("label_smoothing=0", {"label_smoothing": 0.0}),
        ("patience=null", {"patience": None}),
        ("patience=none", {"patience": None}),
        ("flip_average=true", {"flip_average": True}),
        ("precision=bf16", {"precision": "bf16"}),
        ("data=my=folder", {"data": "my=folder"}),
        ("optimiser=muon", {"optimiser": Part("muon")}),
        ("optimiser.lr=0.5", {"optimiser": Part("adam", lr=0.5)}),
        ("model.filters=[2,4]", {"model": Part("lenet5", filters=(2, 4))}),
        ("average=ema", {"average": Part("ema")}),
        ("classes=5-9", {"classes": ("5-9",)}),
        ("classes=5, 6", {"classes": ("5", "6")}),
        ("classes=[5,6]", {"classes": ("5", "6")}),
        ("classes=Bag,Ankle boot", {"classes": ("Bag", "Ankle boot")}),
        ("classes=", {"classes": ()}),
        ("few=10", {"few": 10}),
        ("start=runs/x/bundle", {"start": "runs/x/bundle"}),
        ("teachers=one,two", {"teachers": ("one", "two")}),
        ("temperature=2", {"temperature": 2.0}),
        ("augment=", {"augment": ()}),
        ("augment=flip,cutout", {"augment": (Part("flip"), Part("cutout"))}),
        ("augment.shift.pixels=3", {"augment": (Part("flip"), Part("shift", pixels=3))}),
        ('augment=[{"name": "shift", "pixels": 1}]', {"augment": (Part("shift", pixels=1),)}),
    ],
)
def test_a_setting_changes_what_it_names_and_nothing_else(setting, change):
    assert override(BASE, [setting]) == replace(BASE, **change)


def test_settings_apply_from_left_to_right():
    assert override(BASE, ["optimiser=sgd", "optimiser.lr=1", "optimiser.lr=2"]).optimiser == Part("sgd", lr=2)


def test_a_string_is_one_setting():
    assert override(BASE, "epochs=3") == replace(BASE, epochs=3)


def test_a_name_is_no_recipe():
    with pytest.raises(HangtagError, match=r"belong to a recipe, such as hangtag\.recipe\('fast'\), not to 'base'"):
        override("base", ["epochs=3"])


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("epoch=3", "Did you mean 'epochs'?"),
        ("augment.shft.pixels=3", "Did you mean 'shift'?"),
        ("epochs.x=3", "epochs is 10"),
        ("model.a.b=3", "model is Part"),
        ("average.decay=1", "average is None"),
        ("name=x", "no option 'name'"),
        ("kind=classical", "no option 'kind'"),
        ("zzzzzz=1", "It takes: data, size"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(setting, hint):
    assert hint in refused("usage_unknown_key", setting)


def test_a_list_of_words_has_no_options():
    with pytest.raises(HangtagError, match="names nothing") as caught:
        override(BASE, ["classes=0,1", "classes.a.b=3"])
    assert caught.value.code == "usage_unknown_key"


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("epochs=ten", "epochs should be a whole number, not 'ten'"),
        ("epochs=1.5", "a whole number"),
        ("epochs=true", "a whole number"),
        ("epochs=0", "above 0"),
        ("size=-1", "above 0"),
        ("patience=0", "above 0"),
        ("checkpoint_s=0", "above 0"),
        ("checkpoint_s=NaN", "a number"),
        ("checkpoint_s=Infinity", "a number"),
        ("checkpoint_s=1" + "0" * 400, "a number"),
        ("label_smoothing=1", "[0, 1)"),
        ("label_smoothing=NaN", "a number"),
        ("seed=-1", "0 or more"),
        ("flip_average=yes", "true or false"),
        ("precision=bf61", "Did you mean 'bf16'?"),
        ("model=null", "should be a name"),
        ("model=3", "should be a name"),
        ("augment=3", "names with commas"),
        ("augment=[3]", "augment[0] should be a name"),
        ("classes=[true]", "classes[0] should be a word"),
        ("classes=1.5", "classes should be a list of words"),
        ("few=0", "above 0"),
        ("temperature=0", "above 0"),
        ("teacher_weight=1.1", "[0, 1]"),
        ("teacher_views=-1", "0 or more"),
        ("teacher_views=8", "--set teachers=BUNDLE"),
        ("freeze=true", "--set start=BUNDLE"),
    ],
)
def test_a_value_that_does_not_fit_is_named(setting, hint):
    assert hint in refused("usage_value", setting)


@pytest.mark.parametrize("setting", ["epochs", "=3", ""])
def test_a_setting_is_key_equals_value(setting):
    assert "key=value" in refused("usage_setting", setting)


def test_json_gives_the_recipe_back():
    for recipe in (BASE, ClassicalRecipe(name="knn", estimator=Part("knn", n_neighbors=5))):
        assert from_dict(json.loads(json.dumps(to_dict(recipe)))) == recipe


def test_what_came_later_is_written_down_only_where_it_says_something():
    assert {"classes", "few", "start", "freeze", "teachers", "temperature"}.isdisjoint(to_dict(BASE))
    recipe = replace(BASE, classes=("Bag",), few=10, start="x", freeze=True, teachers=("t",), temperature=2.0)
    record = json.loads(json.dumps(to_dict(recipe)))
    assert (record["classes"], record["few"], record["start"], record["freeze"]) == (["Bag"], 10, "x", True)
    assert from_dict(record) == recipe


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"kind": "network", "name": "x"}, "usage_value"),
        ({"kind": "neural", "name": "x"}, "usage_value"),
        ({"name": "x", "model": "lenet5", "epoch": 3}, "usage_unknown_key"),
        ({"name": "x", "model": {"name": 3}}, "usage_value"),
        ({"name": 3, "model": "lenet5"}, "usage_value"),
        ({"kind": [], "name": "x"}, "usage_value"),
    ],
)
def test_a_record_that_is_no_recipe_is_refused(record, code):
    with pytest.raises(HangtagError) as caught:
        from_dict(record)
    assert caught.value.code == code


def test_a_fingerprint_differs_when_anything_differs():
    prints = {fingerprint(to_dict(override(BASE, [s]))) for s in ("seed=0", "seed=1", "optimiser.lr=2", "augment=")}
    assert len(prints) == 4


def maker(given: int, *, width: int = 3, rates: tuple[float, ...] = (0.1,), name: str | None = None):
    return given, width, rates, name


def test_a_part_calls_its_maker_with_checked_options():
    assert Part("net", width=4, rates=[1, 2]).call(maker, 7) == (7, 4, (1.0, 2.0), None)


@pytest.mark.parametrize(
    ("options", "code", "hint"),
    [
        ({"wdth": 3}, "usage_unknown_key", "net has no option 'wdth'. Did you mean 'width'?"),
        ({"given": 3}, "usage_unknown_key", "no option 'given'"),
        ({"width": "wide"}, "usage_value", "net.width should be a whole number, not 'wide'"),
        ({"rates": [1, "x"]}, "usage_value", "net.rates[1] should be a number, not 'x'"),
        ({"name": 3}, "usage_value", "net.name should be a word or null"),
    ],
)
def test_a_part_refuses_options_its_maker_does_not_take(options, code, hint):
    part = Part("net")
    part.options.update(options)
    with pytest.raises(HangtagError) as caught:
        part.call(maker, 7)
    assert (caught.value.code, hint in caught.value.message) == (code, True), caught.value.message
