"""Promises every command keeps. A new command is covered the moment its file exists."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hangtag import cli
from hangtag.core.errors import EXIT_STATUS


def commands() -> list[tuple[str, ...]]:
    """Every command, and every command of a group, as the words that call it."""
    found: list[tuple[str, ...]] = []

    def search(group: click.Group, words: tuple[str, ...]) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                search(command, (*words, name))
            else:
                found.append((*words, name))

    search(cli.verbs, ())
    return found


COMMANDS = commands()
each = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """run(words...) -> exit status, standard output, standard error, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        status = cli._run(list(words))
        return status, *capsys.readouterr()

    return run


def test_the_promised_commands_are_there():
    assert {words[0] for words in COMMANDS} >= {
        "demo",
        "doctor",
        "data",
        "list",
        "train",
        "evaluate",
        "recognise",
        "report",
        "tune",
        "compare",
        "claims",
        "speedup",
        "transfer",
        "ensemble",
        "distil",
        "serve",
    }


@each
def test_help_shows_an_example_of_this_command(run, words):
    status, out, err = run(*words, "--help")
    assert (status, err) == (0, "")
    assert f"Example: hangtag {' '.join(words)}" in out
    assert max(map(len, out.splitlines())) <= 100


@each
def test_an_unknown_option_is_one_line_and_exit_2(run, words):
    status, out, err = run(*words, "--no-such-option")
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "--no-such-option" in err
    assert f"hangtag {' '.join(words)} --help" in err


@each
def test_its_help_names_no_folder_of_this_machine(run, words):
    assert str(Path.home()) not in run(*words, "--help")[1]


@each
def test_an_error_is_json_where_json_was_asked_for(run, words):
    help_text = run(*words, "--help")[1]
    if "--json" not in help_text:
        pytest.skip("has no --json")
    status, out, err = run(*words, "--no-such-option", "--json")
    record = json.loads(out)
    assert list(record) == ["error"]
    assert record["error"]["code"].partition("_")[0] in EXIT_STATUS
    assert status == EXIT_STATUS[record["error"]["code"].partition("_")[0]]
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "code", "hint"),
    [
        (["train", "three_cov"], 2, "usage_unknown_recipe", "Did you mean 'three_conv'?"),
        (["train", "lenet5", "--set", "epoch=3"], 2, "usage_unknown_key", "Did you mean 'epochs'?"),
        (["train", "lenet5", "--set", "epochs=x"], 2, "usage_value", "a whole number"),
        (["train", "lenet5", "--set", "epochs"], 2, "usage_setting", "key=value"),
        (["train", "lenet5", "--data", "drwan"], 4, "data_not_found", "Did you mean 'drawn'?"),
        (["train", "lenet5", "--data", "nowhere=/x"], 2, "usage_unknown_data_set", "nowhere"),
        (["train", "nowhere.json"], 2, "usage_recipe_file", "nowhere.json"),
        (["train", "lenet5", "--seed", "-1"], 2, "usage", "--seed"),
        (["evaluate", "no-such-model"], 5, "bundle_not_found", "no-such-model"),
        (["recognise", "-m", "no-such-model", "x.png"], 5, "bundle_not_found", "no-such-model"),
        (["transfer", "--from", "0-4", "--to", "4-9", "--data", "drawn"], 2, "usage_class", "'Coat' is both in"),
        (["transfer", "--from", "Trousers,Coat", "--to", "5-9", "--data", "drawn"], 2, "usage_class", "'Trouser'"),
        (["transfer", "--from", "0-4"], 2, "usage_value", "--to"),
        (["transfer"], 2, "usage_value", "--from"),
        (["transfer", "knn", "--from", "0-4", "--to", "5-9"], 2, "usage_value", "choose a network"),
        (["transfer", "--from", "0-4", "--to", "5-9", "--few", "ten"], 2, "usage_value", "10,100"),
        (["transfer", "--start", "no-such-model"], 5, "bundle_not_found", "no-such-model"),
        (["transfer", "fast", "--start", "absent.safetensors"], 5, "bundle_not_found", "pretrained=True"),
        (["ensemble", "no-such-model"], 2, "usage_value", "two bundles"),
        (["ensemble", "no-such-model", "other"], 5, "bundle_not_found", "no-such-model"),
        (["distil", "no-such-model", "--into", "lenet5", "--data", "drawn"], 5, "bundle_not_found", "no-such-model"),
        (["distil", "no-such-model", "--into", "knn"], 2, "usage_value", "choose a network"),
        (["serve", "no-such-model", "--port", "0"], 5, "bundle_not_found", "no-such-model"),
        (
            ["serve", "--host", "192.0.2.1", "--port", "0"],
            2,
            "usage_address",
            "--host takes an address of this machine",
        ),
        (["list", "modles"], 2, "usage", "models"),
        (["trian"], 2, "usage", "Did you mean 'train'?"),
    ],
)
def test_bad_input_is_one_line_with_a_stable_code_and_a_cure(run, words, status, code, hint):
    got, out, err = run(*words, *([] if words == ["trian"] else ["--json"]))
    assert got == status
    if out:
        assert json.loads(out)["error"]["code"] == code
    assert err.count("\n") == 1
    assert hint in err
    assert "Traceback" not in err


def test_a_message_cannot_command_the_terminal(run):
    status, out, err = run("train", "x\x1b[31m\x07\nerror: y", "--json")
    assert status == 2
    assert "\x1b[31m" not in err
    assert "\x07" not in err
    assert err.count("\n") == 1
    json.loads(out)


def test_a_name_that_is_no_unicode_is_still_an_answer(run):
    status, out, err = run("train", "lenet5", "--data", "\udcff\udcfe", "--json")
    assert status == 4
    assert json.loads(out)["error"]["code"] == "data_not_found"
    assert "\\udcff" in err


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError("x"), 70), (MemoryError(), 8), (OSError(28, "full", "f"), 7)]
)
def test_whatever_happens_there_is_no_traceback(run, monkeypatch, error, status):
    from hangtag import recipes

    def fail(name):
        raise error

    monkeypatch.delenv("HANGTAG_TRACEBACK", raising=False)
    monkeypatch.setattr(recipes, "create", fail)
    got, out, err = run("train", "lenet5", "--json")
    assert got == status
    assert err.count("\n") == 1
    assert json.loads(out)["error"]["code"].partition("_")[0] in EXIT_STATUS


def test_a_reader_who_leaves_early_is_no_failure():
    pipe = subprocess.Popen([sys.executable, "-m", "hangtag", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert pipe.stdout is not None
    assert pipe.stderr is not None
    pipe.stdout.close()
    err = pipe.stderr.read()
    pipe.stderr.close()
    assert pipe.wait() == 0
    assert b"Traceback" not in err


def test_version_is_the_packages(run):
    import hangtag

    assert run("--version")[1] == f"hangtag {hangtag.__version__}\n"


def test_python_m_hangtag_is_hangtag():
    done = subprocess.run([sys.executable, "-m", "hangtag", "trian"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'train'?" in done.stderr
