import dataclasses
import html
import re

from hangtag.study.page import accuracy_against_time, to_html, write
from hangtag.study.sentences import sentences


def page(found) -> str:
    return to_html(found, accuracy_against_time(found), sentences(found), "seed 0")


def test_names_stay_text(made):
    found = made(rows=(made.row("<script>alert(1)</script>", (0.9,)), made.row('"><svg onload=x>', (0.8,))))
    assert "<script>alert" not in page(found)
    assert "<svg onload" not in page(found)


def test_every_pair_stands_in_the_matrix_twice_with_opposite_signs(made):
    found = made(a=(0.95,), b=(0.90,), c=(0.899,))
    cells = re.findall(r'<td class="(\w+)" data-tip="([^"]*)">([^<]*)</td>', page(found))
    assert [(kind, text) for kind, _, text in cells] == [
        ("self", ""), ("better", "+5.0"), ("better", "+5.1"),
        ("worse", "−5.0"), ("self", ""), ("same", "+0.1"),
        ("worse", "−5.1"), ("same", "−0.1"), ("self", ""),
    ]  # fmt: skip
    assert "a is better than b by 5.0 points" in html.unescape(cells[1][1])


def test_only_what_was_trained_is_drawn_against_time(made):
    theirs = made.row("theirs.onnx", (0.9,), seconds=None)
    assert accuracy_against_time(made(rows=(theirs,))) is None
    assert "theirs.onnx" not in str(accuracy_against_time(made(rows=(theirs,), a=(0.9, 0.92))))


def test_it_reaches_for_nothing_outside_itself(made):
    text = page(made(a=(0.95,), b=(0.9,)))
    assert "default-src 'none'" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)


def test_one_model_and_a_failed_one_still_make_a_page(made, tmp_path):
    failed = dataclasses.replace(
        made.row("wrong", ()), failed=({"seed": 0, "error": {"code": "training_failed", "message": "it <broke>"}},)
    )
    write(made(rows=(failed,), a=(0.9,)))
    text = (tmp_path / "compare.html").read_text()
    assert "it &lt;broke&gt;" in text
    assert {path.name for path in tmp_path.iterdir()} == {
        "compare.html", "compare.csv", "compare.md", "compare.json", "accuracy_against_time.svg"
    }  # fmt: skip
