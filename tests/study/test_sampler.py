import optuna
import pytest

from hangtag.study.sampler import Sampler


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def drawn(study, count):
    found = []
    for _ in range(count):
        trial = study.ask()
        x, y = trial.suggest_float("x", -1, 1), trial.suggest_categorical("y", ["a", "b"])
        study.tell(trial, -abs(x - 0.3) - (y == "b"))
        found.append((x, y))
    return found


def study(seed=0, **given):
    return optuna.create_study(direction="maximize", sampler=Sampler(seed), **given)


def test_a_sampler_made_anew_in_the_middle_draws_what_the_unbroken_one_drew(tmp_path):
    whole = drawn(study(), 16)
    url = f"sqlite:///{tmp_path / 'x.db'}"
    parts = []
    for _ in range(4):  # at each start the same seed
        parts += drawn(study(storage=url, study_name="x", load_if_exists=True), 4)
    assert parts == whole
    assert len(set(whole)) == 16  # and never the same trials over again


def test_other_seeds_draw_others():
    assert drawn(study(0), 3) != drawn(study(1), 3)


def test_it_learns_where_the_best_are():
    found = drawn(study(), 40)
    assert sum(abs(x - 0.3) < 0.3 and y == "a" for x, y in found[-15:]) >= 6  # of 15 at random, 2


def test_what_is_planned_is_taken():
    planned = study()
    planned.sampler.planned = {"x": 0.5, "y": "b"}
    assert drawn(planned, 1) == [(0.5, "b")]
    planned.sampler.planned = {}
    assert drawn(planned, 1) != [(0.5, "b")]
