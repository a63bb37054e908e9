import pytest

from hangtag import recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import Part, override
from hangtag.study.space import Choice, Range, applied, plain, read


def space(*lines, recipe="lenet5"):
    return read(lines, recipes.create(recipe))


def only(line, recipe="lenet5"):
    (dimension,) = space(line, recipe=recipe).dimensions.values()
    return dimension


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("optimiser.lr=1e-4..1e-2", Range(1e-4, 1e-2, log=True)),
        ("optimiser.lr=1e-3..5e-3", Range(1e-3, 5e-3)),
        ("optimiser.lr=1e-4..1e-2:linear", Range(1e-4, 1e-2)),
        ("optimiser.lr=1e-3..5e-3:log", Range(1e-3, 5e-3, log=True)),
        ("batch_size=32..512", Range(32, 512, log=True, whole=True)),
        ("epochs=5..20", Range(5, 20, whole=True)),
        ("model.dropout=0..0.5", Range(0, 0.5)),
        ("label_smoothing=0..0.5", Range(0, 0.5)),
        ("model.dropout=0..1", Range(0, 1)),  # a share, though its ends are whole
        ("augment.flip.probability=.1...9", Range(0.1, 0.9)),
        ("optimiser=adam,sgd", Choice(("adam", "sgd"))),
        ("batch_size=32,64", Choice((32, 64))),
        ("model.dropout=0,0.5", Choice((0.0, 0.5))),
        ("flip_average=true,false", Choice((True, False))),
        ("patience=3,none", Choice((3, None))),
        ("model.filters=6,16|4,8", Choice(("6,16", "4,8"))),
        ("model.filters=[6, 16],[4,8]", Choice(("6,16", "4,8"))),
        ("augment=[]|flip|flip,cutout", Choice(("[]", "flip", "flip,cutout"))),
        ("average=none,ema", Choice((None, "ema"))),
    ],
)
def test_a_line_means_what_it_looks_like(line, wanted):
    assert only(line) == wanted
    assert type(wanted)(**vars(only(line))) == wanted


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("model.dropuot=0.1,0.2", "usage_unknown_key", "Did you mean 'dropout'?"),
        ("modle.dropout=0.1,0.2", "usage_unknown_key", "Did you mean 'model'?"),
        ("optimiser=adam,sdg", "usage_unknown_optimiser", "Did you mean 'sgd'?"),
        ("optimiser.adamw.lr=1e-3..1e-2", "usage_unknown_key", "Did you mean 'adam'?"),
        ("augment=flip|cutuot", "usage_unknown_augmentation", "Did you mean 'cutout'?"),
        ("augment.probability=0.1..0.9", "usage_unknown_key", "augment.flip.OPTION"),
        ("average.decay=0.9,0.99", "usage_unknown_key", "has no average"),
        ("estimator.C=1..2", "usage_unknown_key", "estimator"),
        ("data=drawn,mnist", "usage_unknown_key", "data"),
        ("optimiser.lr=1e-2..1e-4", "usage_space", "empty range"),
        ("optimiser.lr=1..1", "usage_space", "empty range"),
        ("optimiser.lr=a..b", "usage_space", "no range of numbers"),
        ("optimiser.lr=0..nan", "usage_space", "no range of numbers"),
        ("optimiser.lr=0..1:log", "usage_space", "above 0"),
        ("optimiser.lr=0.1", "usage_space", "--set optimiser.lr=0.1"),
        ("optimiser.lr=", "usage_space", "has no value"),
        ("epochs=1,,2", "usage_space", "between the commas"),
        ("model.filters=32,64,64", "usage_space", "'model.filters=[32,64],[16,32]'"),
        ("batch_size=0.5..3", "usage_value", "a whole number"),
        ("precision=1..2", "usage_value", "precision"),
        ("epochs=1,1,2", "usage_space", "a value twice: say it once"),
        ("model.dropout=0,0.0", "usage_space", "a value twice: say it once"),
        ("model.activation=relu,gleu", "usage_value", "Did you mean 'gelu'?"),
        ("epochs=0,3", "usage_value", "above 0"),
        ("classes=0-4|5-9", "usage_unknown_key", "classes"),
        ("published_grd", "usage_unknown_space", "Did you mean 'published_grid'?"),
        ("=1,2", "usage_space", "key=values"),
    ],
)
def test_what_no_run_could_use_is_refused_before_any(line, code, hint):
    with pytest.raises(HangtagError) as caught:
        space(line)
    assert caught.value.code == code
    assert hint in caught.value.message
    assert "\n" not in caught.value.message


def test_a_list_of_names_can_be_chosen_where_there_is_one_already():
    base = override(recipes.create("lenet5"), ["teachers=one,two"])
    chosen = read(["teachers=a|b,c"], base)
    assert chosen.dimensions["teachers"].values == ("a", "b,c")
    assert applied(base, {"teachers": "b,c"}).teachers == ("b", "c")
    assert applied(base, chosen.start()) == base


def test_no_space_is_refused():
    with pytest.raises(HangtagError, match="hangtag list spaces"):
        space()


def test_a_later_line_of_one_key_counts():
    chosen = space("published_grid", "batch_size=16,32", recipe="three_conv")
    assert chosen.dimensions["batch_size"] == Choice((16, 32))
    assert len(chosen.dimensions) == 3


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("lr=1e-4..1e-2", "optimiser.lr=1e-4..1e-2"),
        ("learning_rate=1e-4..1e-2", "optimiser.lr=1e-4..1e-2"),
        ("dropout=0,0.2", "model.dropout=0,0.2"),
        ("batch=32,64", "batch_size=32,64"),
        ("optimizer=adam,sgd", "optimiser=adam,sgd"),
    ],
)
def test_a_space_of_short_keys_is_that_of_the_long_ones(short, full):
    assert space(short) == space(full)


def test_options_of_one_optimiser_may_be_called_as_elsewhere():
    lines = ["optimizer=adam,sgd", "optimizer.sgd.lr=0.01,0.1"]
    assert list(space(*lines).dimensions) == ["optimiser", "optimiser.sgd.lr"]


def test_options_of_a_part_are_asked_only_where_it_is_chosen():
    chosen = space("optimiser.sgd.lr=0.01,0.1", "optimiser=adam,sgd")
    assert list(chosen.combinations()) == [
        {"optimiser": "adam"},
        {"optimiser": "sgd", "optimiser.sgd.lr": 0.01},
        {"optimiser": "sgd", "optimiser.sgd.lr": 0.1},
    ]
    recipe = applied(chosen.recipe, {"optimiser": "sgd", "optimiser.sgd.lr": 0.1})
    assert recipe.optimiser == Part("sgd", lr=0.1)


def test_a_part_that_is_chosen_and_there_already_keeps_its_options():
    recipe = recipes.create("minutes")
    assert applied(recipe, {"optimiser": "muon"}) == recipe
    kept = applied(recipe, {"augment": "cutout,shift"})
    assert kept.augment == (Part("cutout", size=6), Part("shift"))


@pytest.mark.parametrize("name", ["lenet5", "three_conv", "minutes", "custom_cnn", "svm"])
def test_the_start_is_the_recipe_itself(name):
    lines = {
        "svm": ["estimator.C=1..100"],
        "minutes": ["augmentation", "optimiser.lr=0.01..1", "model.widths=32,64,128|8,16,32", "average=none,ema"],
    }.get(
        name,
        ["model.dropout=0.1,0.2", "model.filters=1,2|3,4", "optimiser=adam,sgd", "augment=[]|flip"],
    )
    chosen = space(*lines, recipe=name)
    start = applied(chosen.recipe, chosen.start())
    assert chosen.start().keys() <= chosen.dimensions.keys()
    for part in ("model", "optimiser", "estimator"):
        if hasattr(start, part):  # defaults are spelled out, nothing else differs
            written, own = getattr(start, part), getattr(chosen.recipe, part)
            assert written.name == own.name
            assert own.options.items() <= written.options.items()
    for field in ("augment", "epochs", "average"):
        assert getattr(start, field, None) == getattr(chosen.recipe, field, None)


def test_a_grid_of_ranges_has_no_end():
    with pytest.raises(HangtagError, match=r"optimiser\.lr is a range"):
        list(space("optimiser.lr=1e-3..1e-2").combinations())


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (["epochs=1..3"], 3),
        (["epochs=1..3", "model.dropout=0,0.5"], 6),
        (["optimiser.sgd.lr=0.01,0.1", "optimiser=adam,sgd"], 3),
        (["augment=[]|flip|flip,cutout", "augment.flip.probability=0.1,0.2"], 5),
        (["batch_size=1..1000000000", "epochs=1..1000000000"], 10**18),
        (["optimiser.lr=1e-3..1e-2"], None),
    ],
)
def test_combinations_are_counted(lines, size):
    chosen = space(*lines)
    assert chosen.size() == size
    if size and size < 10:
        found = list(chosen.combinations())
        assert len(found) == size
        assert all(found.count(one) == 1 for one in found)


def test_the_published_grid_has_27_combinations_and_its_best_is_the_recipe():
    chosen = space("published_grid", recipe="three_conv")
    found = list(chosen.combinations())
    assert len(found) == 27
    assert chosen.start() in found


def test_a_list_is_given_back_as_a_list():
    assert plain("32,64") == [32, 64]
    assert plain("[32]") == [32]
    assert plain("adam") == "adam"
    assert plain(0.5) == 0.5


@pytest.mark.parametrize("line", ["optimiser.lr=1e-4..1e-2", "model.filters=6,16|4,8", "batch_size=32,64"])
def test_what_is_written_down_reads_as_the_same_space(line):
    chosen = space(line)
    ((key, text),) = chosen.to_dict().items()
    assert only(f"{key}={text}") == chosen.dimensions[key]
