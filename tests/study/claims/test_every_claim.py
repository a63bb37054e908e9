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
