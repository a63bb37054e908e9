import io

import pytest
from rich.console import Console
from rich.text import Text

from hangtag.cli._layout import has_colours, is_lively, show_panel, show_rows

PATH = "runs/a_folder_of_a_rather_long_name_that_nobody_wants_to_type_by_hand/with/others/inside/bundle"
SENTENCE = "nothing gained: no trial was more accurate than the start, which is a pity for everybody who waited for it"


def shown(show, *given, width=80):
    stream = io.StringIO()
    show(Console(file=stream, width=width, highlight=False), *given)
    return stream.getvalue()


def words(text):
    return [word for word in text.replace("│", " ").split() if not set(word) <= set("╭╮╰╯─")]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_sentences_wrap_between_words(width):
    for text in (
        shown(show_rows, [(Text("one"), Text(SENTENCE)), (Text("another"), Text("short"))], width=width),
        shown(show_panel, "title", [("one", Text(SENTENCE)), ("another", Text("short"))], width=width),
    ):
        assert set(SENTENCE.split()) <= set(words(text))
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 80, 200])
def test_paths_and_commands_stay_whole(width):
    command = f"hangtag evaluate {PATH} --data 'my photos'"
    for text in (
        shown(show_rows, [(Text("bundle"), Text(PATH)), (Text("next"), Text(command))], width=width),
        shown(show_panel, "title", [("bundle", Text(PATH)), ("next", Text(f"{command}\nhangtag list"))], width=width),
    ):
        assert any(PATH in line for line in text.splitlines())
        assert any(command in line for line in text.splitlines())


def test_rows_without_a_row_are_nothing():
    assert shown(show_rows, []) == ""


@pytest.mark.parametrize("name", ["dumb", "unknown"])
def test_a_dumb_terminal_is_not_drawn_upon(monkeypatch, name):
    monkeypatch.setenv("TERM", name)
    console = Console(force_terminal=True)
    assert not is_lively(console)
    assert not has_colours(console)


def test_without_colours_nothing_is_said_in_colours_alone(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(force_terminal=True)
    assert is_lively(console)
    assert not has_colours(console)
