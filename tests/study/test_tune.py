"""What a study promises, with trainers that only pretend; `test_killed_studies.py` has real ones."""

import contextlib
import json
import shutil
import sqlite3

import optuna
import pytest

from hangtag import recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import override
from hangtag.study import space, storage
from hangtag.study import tune as module
from hangtag.study.tune import Watch, tune

RATES = ("optimiser.lr=1e-4..1e-1",)
GRID = ("optimiser.lr=1e-3,1e-2", "model.dropout=0,0.2")


@pytest.fixture
def study(pretended, garments, tmp_path):
    """study(*lines, out="a", **options) -> Study, of lenet5 in two epochs."""

    def study(*lines, out="a", settings=(), **options):
        recipe = override(recipes.create("lenet5"), ["epochs=2", *settings])
        return tune(space.read(lines or RATES, recipe), data=garments, out=tmp_path / out, **{"trials": 4, **options})

    return study


def summary(found):
    return [(trial.number, trial.state, trial.settings, trial.val_accuracy) for trial in found.trials]


def test_the_first_trial_is_the_recipe_as_it_stands(study, pretended):
    found = study()
    assert found.start == found.trials[0]
    assert found.trials[0].settings == {"optimiser.lr": 0.003}
    assert len(found.trials) == 4
    assert found.best == max(found.trials, key=lambda trial: trial.val_accuracy)


def test_a_start_outside_the_space_is_tried_too(study):
    found = study("optimiser.lr=1e-5..1e-4", trials=2)
    assert found.start.settings == {"optimiser.lr": 0.003}
    assert 1e-5 <= found.trials[1].settings["optimiser.lr"] <= 1e-4


def test_a_grid_is_every_combination_once_the_start_first(study, pretended):
    found = study(*GRID, grid=True, trials=None, settings=["optimiser.lr=0.01"])
    tried = [trial.settings for trial in found.trials]
    assert tried[0] == {"optimiser.lr": 0.01, "model.dropout": 0.0}
    assert len(tried) == 4  # the start is one of them
    assert all(tried.count(settings) == 1 for settings in tried)
    outside = study(*GRID, out="b", grid=True, trials=None)
    assert len(outside.trials) == 5


@pytest.mark.slow
def test_the_same_seed_seeks_the_same(study):
    assert summary(study()) == summary(study(out="b"))
    assert summary(study(out="c", settings=["seed=1"])) != summary(study(out="d"))


def test_stopped_in_the_middle_it_goes_on_and_ends_as_an_unbroken_one(study, pretended, garments):
    whole = summary(study(out="whole", trials=6))
    pretended.ran = []

    class KilledError(BaseException):
        pass

    for at in (1, 3, 4):

        def meddle(count, at=at):
            if count == at:
                raise KilledError

        pretended.meddle = staticmethod(meddle)
        with pytest.raises(KilledError):
            study(trials=6)
    pretended.meddle = staticmethod(lambda count: None)
    assert summary(study(trials=6)) == whole
    numbers = [number for number, _ in pretended.ran]
    assert sorted(set(numbers)) == list(range(6))
    assert len(numbers) == 6 + 3  # only what was on was started again, and went on from its checkpoint


def test_a_finished_study_gives_its_result_at_once(study, pretended):
    first = summary(study())
    pretended.ran = []
    assert summary(study()) == first
    assert pretended.ran == []


def test_more_trials_are_added_to_those_there_are(study, pretended):
    first = summary(study(trials=2))
    assert summary(study(trials=4))[:2] == first
    assert len(pretended.ran) == 4


def test_other_settings_in_one_folder_are_refused_and_named(study):
    study()
    for options, hint in (
        ({"settings": ["batch_size=8"]}, "recipe.batch_size: 128 there, 8 asked"),
        ({"objective": "accuracy-time"}, "objective: 'accuracy' there"),
    ):
        with pytest.raises(HangtagError, match=hint) as caught:
            study(**options)
        assert caught.value.code == "run_other_settings"
    with pytest.raises(HangtagError, match=r"space.optimiser.lr: '0.0001..0.1:log' there"):
        study("optimiser.lr=1e-3..1e-1")


def test_two_studies_of_one_name_with_other_spaces_are_refused(study, tmp_path):
    shared = f"sqlite:///{tmp_path / 'shared.db'}"
    study(storage=shared, name="mine")
    with pytest.raises(HangtagError, match="study 'mine' is of other settings") as caught:
        study("optimiser.lr=1e-3..1e-1", out="b", storage=shared, name="mine")
    assert caught.value.code == "run_other_settings"
    assert len(study(out="c", storage=shared, name="mine", trials=5).trials) == 5  # the same: joined


def test_a_trial_that_another_program_ended_is_refused_in_a_line(study, tmp_path):
    shared = f"sqlite:///{tmp_path / 'shared.db'}"
    study(storage=shared, name="mine")
    theirs = optuna.load_study(study_name="mine", storage=shared)
    theirs.add_trial(optuna.trial.create_trial(value=0.9))
    with pytest.raises(HangtagError, match="trial 4 of the study lacks what it reached") as caught:
        study(out="b", storage=shared, name="mine", trials=5)
    assert caught.value.code == "run_damaged"


def test_a_folder_of_something_else_is_left_alone(study, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "thesis.txt").write_text("all of it")
    with pytest.raises(HangtagError, match=r"holds thesis.txt"):
        study()


def test_a_study_that_got_nowhere_holds_no_folder(study, pretended):
    with pytest.raises(HangtagError, match="cannot be used"):
        study(storage="sqlite:////nowhere/at/all.db")
    assert len(study().trials) == 4


def test_a_trial_that_fails_is_marked_with_its_line_and_the_study_goes_on(study, pretended):
    well = pretended.ends
    pretended.ends = staticmethod(
        lambda recipe: {"failed": "the loss became nan"} if recipe.optimiser.options["lr"] == 1e-2 else well(recipe)
    )
    told = []
    found = study("optimiser.lr=1e-3,1e-2,1e-1", grid=True, trials=None, watch=Watch(message=told.append))
    (failed,) = [trial for trial in found.trials if trial.state == "failed"]
    assert failed.error == "the loss became nan"
    assert failed.settings == {"optimiser.lr": 1e-2}
    assert sum(trial.state == "complete" for trial in found.trials) == 3
    assert told == [f"trial {failed.number} failed: the loss became nan"]


def test_settings_no_recipe_can_have_fail_one_trial_alone(study, monkeypatch):
    made = module.applied

    def applied(recipe, settings):
        if settings.get("model.dropout") == 1.0:
            raise HangtagError("usage_value", "no such share")
        return made(recipe, settings)

    monkeypatch.setattr(module, "applied", applied)
    found = study("model.dropout=0.1,1.0,0.3", grid=True, trials=None)
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert [(trial.settings, trial.error) for trial in failed] == [({"model.dropout": 1.0}, "no such share")]
    assert sum(trial.state == "complete" for trial in found.trials) == len(found.trials) - 1 >= 2


@pytest.mark.slow
def test_a_trial_whose_process_dies_is_tried_again_and_fails_in_the_end(study, pretended):
    well, deaths = pretended.ends, []

    def ends(recipe):
        if recipe.optimiser.options["lr"] == 1e-2:
            deaths.append(1)
            return {"died": -9}
        return well(recipe)

    pretended.ends = staticmethod(ends)
    found = study("optimiser.lr=1e-2,1e-1", grid=True, trials=None)
    (failed,) = [trial for trial in found.trials if trial.state == "failed"]
    assert len(deaths) == 3
    assert "died 3 times (killed, as the system does when memory runs out)" in failed.error
    assert sum(trial.state == "complete" for trial in found.trials) == 2


@pytest.mark.slow
def test_poor_trials_are_pruned_after_a_few_and_good_ones_are_not(study, pretended, run_of):
    rates = iter([0.01] * 6)

    def ends(recipe):
        return run_of(0.9) if recipe.optimiser.options["lr"] <= 0.003 else run_of(0.1 + 0.1 * next(rates))

    pretended.ends = staticmethod(ends)
    lines = "optimiser.lr=0.001,0.002,0.0021,0.0022,0.01,0.0023"
    found = study(lines, grid=True, trials=None, settings=["epochs=10"])
    states = {trial.settings["optimiser.lr"]: trial.state for trial in found.trials}
    assert states.pop(0.01) == "pruned"
    assert set(states.values()) == {"complete"}
    whole = study(lines, grid=True, trials=None, settings=["epochs=10"], out="b", prune=False)
    assert {trial.state for trial in whole.trials} == {"complete"}


@pytest.mark.slow
def test_pruning_compares_shares_of_a_run_not_epochs(study, pretended, run_of):
    """Two epochs of two are the end of a run, two of twenty its beginning: neither is held against the other."""
    pretended.ends = staticmethod(lambda recipe: run_of(0.9))
    found = study("epochs=2,3,5,7,9,12,20", grid=True, trials=None)
    assert {trial.state for trial in found.trials} == {"complete"}


FINITE = {
    "values": (["model.dropout=0.1,0.2,0.3"], 4),  # and the recipe as it stands, which has 0
    "the start among them": (["model.dropout=0,0.2"], 2),
    "whole numbers": (["epochs=1..3", "model.dropout=0,0.2"], 6),
    "options of one value alone": (["optimiser=adam,sgd", "optimiser.sgd.lr=0.01,0.1"], 3),
    "lists": (["model.filters=6,16|4,8", "augment=[]|flip"], 4),
}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("grid", [False, True], ids=["tpe", "grid"])
@pytest.mark.parametrize(("lines", "count"), FINITE.values(), ids=FINITE)
def test_each_combination_is_tried_once_and_then_the_study_ends(study, pretended, lines, count, grid, jobs):
    if grid and ".." in "".join(lines):
        pytest.skip("a grid wants values")
    pretended.ends = staticmethod(lambda recipe: {"done": {"val_accuracy": 0.9, "seconds": 1.0, "params": 1}})
    found = study(*lines, grid=grid, jobs=jobs, trials=100, prune=False)
    tried = [trial.settings for trial in found.trials]
    assert len(tried) == count == found.combinations
    assert all(tried.count(settings) == 1 for settings in tried)
    assert len(pretended.ran) == count
    assert found.all_tried
    assert tried[0] == found.space.start()
    again = study(*lines, grid=grid, jobs=jobs, trials=100, prune=False)  # nothing is left to do
    assert summary(again) == summary(found)
    assert len(pretended.ran) == count


def test_a_combination_that_failed_is_not_tried_again_and_no_other_is_passed_over(study, pretended):
    well = pretended.ends
    pretended.ends = staticmethod(
        lambda recipe: {"failed": "no"} if recipe.model.options["dropout"] in (0.1, 0.2) else well(recipe)
    )
    for trials in (3, 50, 50):  # the same command again goes on, and leaves the failed ones alone
        found = study("model.dropout=0.1,0.2,0.3,0.4", trials=trials)
    assert sorted(trial.settings["model.dropout"] for trial in found.trials) == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [trial.state for trial in found.trials].count("failed") == 2
    assert len(pretended.ran) == 5


@pytest.mark.slow
def test_killed_again_and_again_each_combination_is_still_tried_once(study, pretended):
    class KilledError(BaseException):
        pass

    for said in range(1, 12):  # after so many words of the trainers
        left = iter(range(said))

        def meddle(count, left=left):
            if next(left, None) is None:
                raise KilledError

        pretended.meddle = staticmethod(meddle)
        with contextlib.suppress(KilledError):
            study("model.dropout=0,0.1,0.2", "batch_size=32,64", trials=50, jobs=2)
    pretended.meddle = staticmethod(lambda count: None)
    found = study("model.dropout=0,0.1,0.2", "batch_size=32,64", trials=50, jobs=2)
    tried = [trial.settings for trial in found.trials]
    assert len(tried) == 7  # the recipe's own batches are of 128
    assert all(tried.count(settings) == 1 for settings in tried)


@pytest.mark.slow
@pytest.mark.parametrize("step", ["settings", "draw"])
def test_killed_while_a_trial_gets_its_settings_none_is_lost_or_doubled(study, pretended, monkeypatch, step):
    class KilledError(BaseException):
        pass

    place = {"settings": "_settings", "draw": "_write_down"}[step]
    real, left = getattr(module._Work, place), iter([False, False, True])

    def dies(self, *given):
        if next(left, False):
            raise KilledError
        return real(self, *given)

    monkeypatch.setattr(module._Work, place, dies)
    with pytest.raises(KilledError):
        study("model.dropout=0,0.1,0.2,0.3", trials=50)
    found = study("model.dropout=0,0.1,0.2,0.3", trials=50)
    assert sorted(trial.settings["model.dropout"] for trial in found.trials) == [0.0, 0.1, 0.2, 0.3]
    assert all(trial.params == trial.user_attrs["settings"] for trial in found.optuna.trials)


def test_how_many_combinations_there_are_is_said_where_more_trials_are_asked_for(study):
    said = []
    study("model.dropout=0.1,0.2", trials=8, watch=Watch(message=said.append))
    of = "the space has 2 combinations, and the recipe as it stands is not among them"
    assert said == [f"the study ends before 8 trials: {of}, each tried once", f"all was tried: {of}"]


def test_fewer_trials_than_combinations_are_as_many_as_asked(study):
    said = []
    found = study("model.dropout=0.1,0.2,0.3", trials=2, watch=Watch(message=said.append))
    assert (len(found.trials), found.all_tried, said) == (2, False, [])


def test_a_space_without_end_has_no_number_of_combinations(study):
    found = study(trials=2)
    assert (found.combinations, found.all_tried) == (None, False)


def test_where_one_branch_of_a_space_has_an_end_its_failure_is_not_trained_again(study, pretended):
    pretended.ends = staticmethod(
        lambda recipe: (
            {"failed": "no"}
            if recipe.optimiser.name == "sgd"
            else {"done": {"val_accuracy": 0.9, "seconds": 1.0, "params": 1}}
        )
    )
    study("optimiser=adam,sgd", "optimiser.adam.lr=0.001..0.1", trials=12, prune=False)
    assert [recipe.optimiser.name for _, recipe in pretended.ran].count("sgd") == 1


@pytest.mark.slow
def test_two_processes_that_choose_at_once_never_choose_the_same(study, pretended, tmp_path):
    """The second chooses in the moment between the first one's look and its writing down."""
    from concurrent.futures import ThreadPoolExecutor

    url = f"sqlite:///{tmp_path / 'shared.db'}"
    storage.connect(url)
    lines = ["model.dropout=0,0.1,0.2,0.3", "batch_size=32,64,128"]
    with ThreadPoolExecutor(3) as pool:
        every = [pool.submit(study, *lines, out=name, storage=url, name="x", trials=50, prune=False) for name in "abc"]
        found = [one.result() for one in every]
    for one in found:
        tried = [trial.settings for trial in one.trials]
        assert len(tried) == 12
        assert all(tried.count(settings) == 1 for settings in tried)
    assert len(pretended.ran) == 12


def test_against_time_the_best_is_fastest_at_no_less_accuracy(study):
    found = study("model.dropout=0.2,0.4", objective="accuracy-time", grid=True, trials=None)
    assert found.best.settings == {"model.dropout": 0.4}  # pretended to be quicker, and as accurate
    assert len(found.optuna.directions) == 2


def test_against_time_nothing_is_pruned_and_asking_for_it_is_refused(study):
    with pytest.raises(HangtagError, match="--prune"):
        study(objective="accuracy-time", prune=True)


@pytest.mark.slow
def test_folders_stay_of_the_start_the_best_and_the_front_alone(study, tmp_path):
    found = study(trials=8)
    kept = {int(path.name) for path in (tmp_path / "a" / "trials").iterdir()}
    assert {found.start.number, found.best.number} <= kept
    assert len(kept) < 8
    assert not list((tmp_path / "a" / "trials").glob("*/checkpoints"))


def test_what_a_file_manager_leaves_is_passed_by(study, tmp_path, pretended):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".DS_Store").touch()

    def meddle(count):
        (tmp_path / "a" / "trials" / ".DS_Store").touch()
        (tmp_path / "a" / "trials" / "desktop.ini").touch()

    pretended.meddle = staticmethod(meddle)
    assert len(study(trials=4).trials) == 4
    assert (tmp_path / "a" / "trials" / "desktop.ini").exists()


def test_after_its_time_no_trial_begins(study, pretended, monkeypatch):
    pretended.meddle = staticmethod(lambda count: None)
    assert len(study(trials=None, timeout_s=1e-9).trials) == 0
    now = [0.0]
    pretended.meddle = staticmethod(lambda count: now.__setitem__(0, 3.0 if count > 1 else 0.0))
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    assert len(study(trials=None, timeout_s=2.0).trials) == 2


def test_a_space_that_can_be_tried_whole_ends_before_its_time(study, pretended):
    pretended.meddle = staticmethod(lambda count: None)
    found = study("batch_size=32,64,128", trials=None, timeout_s=600.0)
    assert {trial.settings["batch_size"] for trial in found.trials} >= {32, 64, 128}
    assert len(found.trials) <= 4


def test_several_trials_are_on_at_a_time(study, pretended):
    most = []

    def meddle(count):
        most.append(count)

    pretended.meddle = staticmethod(meddle)
    assert len(study(jobs=3, trials=7).trials) == 7
    assert most[0] == 3


def test_one_trial_too_many_is_given_up(study, garments, tmp_path, monkeypatch):
    """Two machines that look at the same moment both find a trial wanting; one of them asks second."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    study(storage=url, name="x", trials=3)
    other = optuna.load_study(study_name="x", storage=storage.connect(url))
    blind = iter([True])
    look = module._Work._look

    def short_sighted(self, *, anew=False):
        found = look(self, anew=anew)
        return found[:-1] if next(blind, False) else found

    asked = module._Work._ask

    def ask(self):
        monkeypatch.setattr(module._Work, "_look", short_sighted)
        return asked(self)

    monkeypatch.setattr(module._Work, "_ask", ask)
    found = study(out="b", storage=url, name="x", trials=3)
    assert len(found.trials) == 3
    assert len(other.trials) == 4  # it is there, and counts for nothing


def test_trials_of_a_process_that_vanished_are_done_again_elsewhere(study, tmp_path, monkeypatch, pretended):
    url = f"sqlite:///{tmp_path / 'shared.db'}"

    class KilledError(BaseException):
        pass

    def meddle(count):
        if count == 2:
            raise KilledError

    pretended.meddle = staticmethod(meddle)
    with pytest.raises(KilledError):
        study(storage=url, name="x")
    shutil.rmtree(tmp_path / "a")
    pretended.meddle = staticmethod(lambda count: None)
    with contextlib.closing(sqlite3.connect(tmp_path / "shared.db")) as connection, connection:
        aged = connection.execute("UPDATE trial_heartbeats SET heartbeat = datetime('now', '-1 hour')")
        assert aged.rowcount
    monkeypatch.setattr(storage, "HEARTBEAT_S", 1)
    found = study(out="b", storage=url, name="x")
    states = [trial.state for trial in found.trials]
    assert states.count("lost") == 1
    assert states.count("complete") == 4
    lost = states.index("lost")
    again = [trial.settings for trial in found.trials[lost + 1 :] if trial.state == "complete"]
    assert found.trials[lost].settings in again


def test_what_another_process_was_given_meanwhile_is_dropped(study, pretended, tmp_path):
    """A machine that sleeps through its heartbeats finds its trial taken when it wakes."""
    url, told = f"sqlite:///{tmp_path / 'shared.db'}", []

    def meddle(count):
        if count == 2:
            other = optuna.load_study(study_name="x", storage=url)
            for trial in other.get_trials(states=[optuna.trial.TrialState.RUNNING]):
                other.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    pretended.meddle = staticmethod(meddle)
    found = study(storage=url, name="x", watch=Watch(message=told.append))
    assert [trial.state for trial in found.trials] == ["complete", "lost", "complete", "complete"]
    assert told == ["trial 1 was given to another process meanwhile: what it brings here is dropped"]


def test_watchers_see_trials_the_best_and_the_time_left(study):
    seen = []
    study(watch=Watch(standing=seen.append))
    assert seen[-1].wanted == 4
    assert seen[-1].best is not None
    assert any(standing.now for standing in seen)
    assert any(standing.eta_s is not None for standing in seen)


def test_what_the_folder_is_for_is_written_down(study, tmp_path):
    study()
    record = json.loads((tmp_path / "a" / "study.json").read_text())
    assert record["space"] == {"optimiser.lr": "0.0001..0.1:log"}
    assert record["data"]["validation"] == 40
