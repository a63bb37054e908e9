import re

from hangtag.report.figures.bars import bars

SHARES = {"optimiser.lr": 0.8, "<b>": 0.2, "epochs": 0.0}


def test_longer_is_more_and_in_proportion():
    widths = [float(width) for width in re.findall(r'width="([\d.]+)"', bars("x", SHARES, "{:.0%}".format))]
    assert widths[0] == 4 * widths[1]
    assert widths[2] == 0


def test_names_and_numbers_are_written_and_read_out():
    drawn = bars("what mattered", SHARES, "{:.0%}".format)
    assert 'aria-label="what mattered: optimiser.lr 80%; &lt;b&gt; 20%; epochs 0%"' in drawn
    assert "<b>" not in drawn


def test_nothing_but_zeros_is_drawn_too():
    assert "NaN" not in bars("x", {"a": 0.0}, str)
    assert "svg" in bars("x", {}, str)
