"""Promises every claim keeps. A new claim is covered the moment its file exists."""

import re

import click
import pytest

from hangtag import cli, recipes
from hangtag.study import claims
from hangtag.study.ledger import _Desk

CLAIMS = {name: claims.register.get(name) for name in claims.register.names()}
COMMANDS = {command.name: command for claim in CLAIMS.values() for command in claim.commands}
each = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


def test_a_name_means_one_command_everywhere():
    for claim in CLAIMS.values():
        for command in claim.commands:
            assert command == COMMANDS[command.name]


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_its_words_are_a_command_of_ours(command, quick, tmp_path):
    words = _Desk(tmp_path, data="drawn", seed=0, quick=quick, output=print).words(command)
    verb = cli.verbs.get_command(click.Context(cli.verbs), words[0])
    assert verb is not None
    context = verb.make_context(words[0], words[1:])
    assert context.params["as_json"]
    if words[0] in ("train", "tune"):
        recipe = context.params["recipe"]
        assert recipe.endswith(".json") or recipe in recipes.register.names()


@each
def test_a_command_uses_only_what_came_before_it(claim):
    known = set()
    for command in claim.commands:
        used = set(re.findall(r"\{([\w-]+)\}", " ".join((*command.words, *command.quick))))
        assert used <= known | {"seed"}
        known.add(command.name)


@each
def test_confusion_matrices_come_out_of_evaluations(claim):
    names = {command.name: command.words[0] for command in claim.commands}
    assert all(names[name] == "evaluate" for name in claim.confusions)


@each
def test_it_says_what_was_claimed_and_how_it_is_read(claim):
    for words in (claim.said, claim.measured_on, claim.reading):
        assert words.endswith(".")


def test_the_whole_takes_less_than_three_hours_and_the_quick_one_minutes():
    assert sum(command.seconds for command in COMMANDS.values()) < 3 * 3600
    assert sum(command.quick_seconds for command in COMMANDS.values()) < 15 * 60


def compared(**accuracies):
    """What `compare` printed, made up: every network and algorithm that claims are read from."""
    from hangtag.study.claims._networks import NETWORKS, OTHERS, OURS

    def of(name):
        return accuracies.get(name, 0.85)

    names = (*NETWORKS, *OTHERS, *OURS)
    rows = [
        {
            "recipe": name, "n": 1, "accuracy": {"mean": of(name)}, "loss": {"mean": 0.3}, "seconds": {"mean": 60.0},
            "train_accuracy": {"mean": of(name) + 0.02}, "params": 1000, "file_mb": 16.0,
        }
        for name in names
    ]  # fmt: skip
    pairs = [
        {"first": a, "second": b, "difference": of(a) - of(b), "p_holm": 0.01}
        for i, a in enumerate(names) for b in names[i + 1 :]
    ]  # fmt: skip
    return {"compare": {"rows": rows, "pairs": pairs}}


def test_a_lead_is_told_as_a_lead():
    claim = CLAIMS["better_than_others"]
    results = compared(custom_cnn=0.93, svm=0.90, mlp=0.94)
    lead = next(row for row in claim.rows(results) if row.unit == "points")
    assert lead.ours == pytest.approx(-0.01)
    (said,) = claim.remarks(results)
    assert "custom_cnn against svm: +3.0 points" in said
    assert "custom_cnn against mlp: -1.0 points" in said
