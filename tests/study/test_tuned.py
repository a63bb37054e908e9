import csv
import json
import re

import pytest

from hangtag import recipes
from hangtag.core.recipe import override
from hangtag.study import space
from hangtag.study.tune import tune
from hangtag.study.tuned import results


@pytest.fixture
def tuned(pretended, garments, tmp_path):
    def tuned(*lines, **options):
        recipe = override(recipes.create("lenet5"), ["epochs=2"])
        found = tune(space.read(lines, recipe), data=garments, out=tmp_path / "a", **options)
        done = results(found)
        done.write()
        return done

    return tuned


def test_the_recipe_written_is_the_best_trials_and_can_be_read_again(tuned, tmp_path):
    done = tuned("optimiser.lr=1e-4..1e-1", "model.filters=6,16|4,8", trials=6)
    recipe = recipes.read(tmp_path / "a" / "recipe.json")
    assert recipe == done.recipe
    assert recipe.optimiser.options["lr"] == done.study.best.settings["optimiser.lr"]
    assert isinstance(recipe.model.options["filters"], tuple)
    assert recipe.name == "lenet5_tuned"
    assert done.command.startswith(f"hangtag train {tmp_path}/a/recipe.json --data mnist=")


def test_every_trial_is_a_row_and_no_cell_a_formula(tuned, pretended, tmp_path):
    well = pretended.ends
    pretended.ends = staticmethod(
        lambda recipe: {"failed": "=1+1"} if recipe.optimiser.options["lr"] == 0.1 else well(recipe)
    )
    tuned("optimiser.lr=0.1,0.001", grid=True)
    with (tmp_path / "a" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    assert {row["state"] for row in rows} == {"complete", "failed"}
    assert "'=1+1" in {row["error"] for row in rows}


def test_json_names_what_is_promised(tuned, tmp_path):
    record = tuned("optimiser.lr=1e-4..1e-1", "model.filters=6,16|4,8", trials=6).to_dict()
    assert json.loads((tmp_path / "a" / "tune.json").read_text()) == json.loads(json.dumps(record))
    assert {"out", "study", "storage", "objective", "trials", "start", "best", "front", "importance", "recipe"} < set(
        record
    )
    assert set(record["trials"][0]) == {"number", "state", "params", "val_accuracy", "seconds", "error", "same_as"}
    for reached in (record["start"], record["best"], *record["front"]):
        assert set(reached) == {"number", "params", "val_accuracy", "seconds"}
    assert record["trials"][0]["params"]["model.filters"] == [6, 16]


def test_what_mattered_is_what_the_accuracy_hangs_on(tuned):
    shares = tuned("optimiser.lr=1e-4,1e-3,1e-2", "model.dropout=0,0.1,0.2", grid=True).importance
    assert shares["optimiser.lr"] > 0.9
    assert sum(shares.values()) == pytest.approx(1)


def test_of_few_trials_nothing_is_said_to_matter(tuned):
    assert tuned("optimiser.lr=1e-4..1e-1", trials=2).importance == {}


def test_the_sentence_says_what_was_gained(tuned):
    done = tuned("optimiser.lr=0.001,0.01", grid=True)  # 0.9 at 0.01; the start, 0.003, has 0.8477
    assert done.sentence == (
        "accuracy +5.23 points (90.00% against 84.77%; less than 11.13 points may be chance) at the same training time "
        "(10.0 s against 10.0 s; trial 2)"
    )
    assert done.gained


def test_the_sentence_says_that_nothing_was_gained(tuned):
    done = tuned("optimiser.lr=1e-5,1e-4", grid=True)
    assert done.sentence == "nothing gained: no trial was more accurate than the start (84.77% in 10.0 s)"
    assert not done.gained


def test_the_sentence_that_matters(tuned):
    done = tuned("model.dropout=0.2,0.4", grid=True, objective="accuracy-time")
    assert done.sentence == (
        "training time −20.0% at accuracy no lower than the start "
        "(84.77% against 84.77%; 8.0 s against 10.0 s; trial 2)"
    )
    assert done.gained


def test_against_time_nothing_faster_is_nothing_gained(tuned):
    done = tuned("optimiser.lr=1e-5,1e-4", grid=True, objective="accuracy-time")
    assert done.sentence.startswith("nothing gained: no trial was faster than the start and no less accurate")


def test_no_finished_trial_leaves_no_recipe(tuned, pretended, tmp_path):
    pretended.ends = staticmethod(lambda recipe: {"failed": "never works"})
    done = tuned("optimiser.lr=1e-5,1e-4", grid=True)
    assert done.recipe is None
    assert done.sentence == "no trial was trained to its end"
    assert "never works" in (tmp_path / "a" / "tune.html").read_text()
    assert not (tmp_path / "a" / "recipe.json").exists()


def test_the_page_shows_history_front_importance_and_trials_and_escapes_names(tuned, pretended, tmp_path):
    well = pretended.ends
    pretended.ends = staticmethod(
        lambda recipe: {"failed": "<script>"} if recipe.optimiser.options["lr"] == 0.1 else well(recipe)
    )
    done = tuned("optimiser.lr=1e-4,1e-3,1e-2,0.1", "model.dropout=0,0.1", grid=True)
    page = (tmp_path / "a" / "tune.html").read_text()
    assert page.count('class="figure"') == 3
    for part in (done.sentence[1:], "model.dropout", "start", "&lt;script&gt;", "fANOVA"):
        assert part in page, part
    assert "<script>&" not in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)  # it reaches for nothing
