import pytest

from hangtag.core.printable import as_text, printable


@pytest.mark.parametrize("text", ["Zoë 靴 [b].png", "", "T-shirt/top", "🥾"])
def test_leaves_words_as_they_are(text):
    assert printable(text) == text


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\n", "\r", "\x9b", "\u202e", "\u200b", "\u2028", "\udcff", "\x00"])
def test_shows_what_could_command_a_terminal(char):
    shown = printable(f"a{char}b")
    assert shown.isprintable()
    assert shown.startswith("a\\")
    shown.encode()


def test_no_path_is_no_text():
    assert (as_text(None), printable(None)) == ("", "")
