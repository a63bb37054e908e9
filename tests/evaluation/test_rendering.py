import io

import numpy as np
import pytest
from rich.console import Console

from hangtag.evaluation import Evaluation
from hangtag.evaluation.rendering import _folded

SCORES = {"accuracy": 0.9, "loss": 0.3, "precision": 0.9, "recall": 0.9, "f1": 0.9, "ece": 0.02}


def made(names, confusion=None):
    k = len(names)
    confusion = np.diag(np.full(k, 90)) + 10 * np.eye(k, k, 1, np.int64) if confusion is None else confusion
    return Evaluation(tuple(names), confusion.astype(np.int64), SCORES, "three_conv", "drawn, test split")


def screen(evaluation, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
    with console.capture() as capture:
        console.print(evaluation)
    return capture.get()


def test_says_the_commonest_mistake_in_words():
    confusion = np.array([[90, 7, 3], [0, 100, 0], [1, 0, 99]])
    text = str(made(["Shirt", "Coat", "Bag"], confusion))
    assert "Shirt taken for Coat  7 of 100  7.0%" in text
    assert text.index("Shirt taken for Coat") < text.index("Shirt taken for Bag") < text.index("Bag taken for Shirt")


def test_says_so_when_nothing_was_mistaken():
    assert "No picture was taken for another class" in str(made(["a", "b"], np.diag([3, 4])))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("k", [2, 10, 60])
def test_no_line_is_wider_than_the_window(width, k):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(made([f"a rather long class name {i}" for i in range(k)]))
    assert max(map(len, capture.get().splitlines())) <= width


def test_a_matrix_too_wide_for_the_window_is_left_to_json():
    assert "--json" in screen(made([f"class {i}" for i in range(60)]), 80)


def test_names_cannot_send_commands_to_the_terminal():
    assert "\x1b[2J" not in screen(made(["\x1b[2Jgone", "[bold]b[/bold]"]))
    assert "[bold]b[/bold]" in screen(made(["\x1b[2Jgone", "[bold]b[/bold]"]))


def test_names_cannot_run_in_a_notebook():
    page = made(["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>"])._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_a_class_without_pictures_is_shown():
    assert "0.0%" in str(made(["a", "b"], np.array([[5, 1], [0, 0]])))


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("Coat", 5, ["Coat"]),
        ("Ankle boot", 5, ["Ankle", "boot"]),
        ("Pullover", 7, ["Pull", "over"]),
        ("Sandal", 5, ["San", "dal"]),
        ("a much longer name", 6, ["a", "much", "longe…"]),
    ],
)
def test_headings_are_folded_where_it_reads_well(name, width, lines):
    assert _folded(name, width).split("\n") == lines


def test_bars_are_as_long_as_the_score_even_without_colour():
    text = str(made(["a", "b"], np.array([[100, 0], [50, 50]])))  # F1 of 80.0% and 66.7%
    longer, shorter = (line.count("━") for line in text.splitlines() if "━" in line)
    assert (longer, shorter) == (19, 16)
