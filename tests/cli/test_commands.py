"""The table of commands, other words for them, and their help."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hangtag import cli
from hangtag.cli._commands import ALIASES, GROUPS

FILES = sorted(path.stem for path in Path(cli.__file__).parent.glob("[!_]*.py"))


def help_of(capsys, *words):
    assert cli._run([*words, "--help"]) == 0
    return capsys.readouterr().out


def test_each_command_stands_once_in_the_table():
    assert sorted(name for lines in GROUPS.values() for name in lines) == FILES
    assert list(GROUPS) == ["Use", "Train", "Study", "Data"]


def test_help_has_a_whole_line_for_each_command_in_its_group(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = help_of(capsys).splitlines()
    assert max(map(len, shown)) <= 80
    assert not any("..." in line for line in shown[1:])
    group = None
    for line in shown:
        if line.rstrip(":") in GROUPS:
            group = line.rstrip(":")
        elif group and line.startswith("  ") and line.split()[0] in GROUPS[group]:
            assert line.split(maxsplit=1)[1] == GROUPS[group][line.split()[0]]
    for lines in GROUPS.values():
        for name in lines:
            assert sum(line.startswith(f"  {name} ") for line in shown) == 1


def test_alone_it_shows_its_help(capsys):
    assert cli._run([]) == 0
    assert capsys.readouterr().out == help_of(capsys)


def test_help_of_the_group_imports_no_command():
    show = "import sys; print(sorted(name for name in sys.modules if name.startswith('hangtag.cli.')))"
    code = f"from hangtag.cli import _run; _run(['--help']); {show}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = eval(done.stdout.splitlines()[-1])
    assert not {name.rpartition(".")[2] for name in loaded} & set(FILES)


def test_the_commands_of_data_have_whole_lines_too(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = help_of(capsys, "data")
    assert "..." not in shown.partition("Commands:")[2]
    assert "Check every file: size, hashes, shape, and how often each class" in shown


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_another_word_has_the_same_help_options_and_errors(capsys, alias, name):
    assert re.sub(rf"hangtag {alias}\b", f"hangtag {name}", help_of(capsys, alias)) == help_of(capsys, name)
    context = click.Context(cli.verbs)
    one, other = (cli.verbs.get_command(context, word) for word in (alias, name))
    assert one.params == other.params
    assert one.callback is other.callback
    found = []
    for word in (alias, name):
        status = cli._run([word, "--no-such-option", "--json"])
        said = capsys.readouterr()
        found.append((status, json.loads(re.sub(rf"hangtag {alias}\b", f"hangtag {name}", said.out))))
    assert found[0] == found[1]
    assert found[0][0] == 2


def test_other_words_are_not_listed_nor_completed(capsys):
    from click.shell_completion import ShellComplete

    shown = help_of(capsys)
    completed = {item.value for item in ShellComplete(cli.verbs, {}, "hangtag", "_X").get_completions([], "")}
    assert completed == set(FILES)
    for alias in ALIASES:
        assert f"  {alias} " not in shown


def test_predict_is_recognise(capsys, tmp_path):
    from PIL import Image

    path = tmp_path / "x.png"
    Image.linear_gradient("L").save(path)
    answers = []
    for word in ("predict", "recognize", "recognise"):
        assert cli._run([word, str(path), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1] == answers[2]


SHOW_HELP = """
import click
from hangtag import cli

def search(group, words):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        print(repr([*words, name]), len(command.help or ""))
        if isinstance(command, click.Group):
            search(command, [*words, name])

print([], len(cli.verbs.help or ""))
search(cli.verbs, [])
"""


@pytest.mark.parametrize("how", ["-OO", "PYTHONOPTIMIZE"])
def test_help_does_not_live_in_docstrings(how):
    flags, set_ = ([how], {}) if how == "-OO" else ([], {how: "2"})
    done = subprocess.run(
        [sys.executable, *flags, "-c", SHOW_HELP],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **set_},
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + len(FILES) + len(ALIASES) + 4
    for line in lines:
        assert int(line.rpartition(" ")[2]) > 20, line
