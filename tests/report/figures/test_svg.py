from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from hangtag.report.figures.svg import Scale, figure, standalone, tag, text, ticks


def test_text_and_attributes_are_escaped_and_elements_are_not():
    inner = tag("b", "<i>")
    assert tag("a", inner, "&", data_tip='"<x>"', class_="n") == Markup(
        '<a data-tip="&#34;&lt;x&gt;&#34;" class="n"><b>&lt;i&gt;</b>&amp;</a>'
    )
    assert "<script>" not in text(0, 0, "<script>")


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0.21, 0.79, [0.4, 0.6]), (3, 3, [3]), (1, 20, [5, 10, 15, 20])],
)
def test_ticks_are_round_numbers_within(low, high, wanted):
    assert ticks(low, high) == wanted


def test_a_scale_of_one_number_puts_it_in_the_middle():
    assert Scale(2, 2, 0, 10)(2) == 5
    assert Scale(0, 4, 0, 10)(1) == 2.5


def test_a_figure_alone_is_whole_xml_with_its_own_style():
    drawn = standalone(figure(100, 50, 'a "b" <c>', text(0, 0, "<script>"), tag("line", x1=0, class_="axis")))
    root = ElementTree.fromstring(drawn)
    assert root.get("viewBox") == "-14 -14 128 78"
    assert root.get("aria-label") == 'a "b" <c>'
    assert "var(" not in drawn
    assert "light-dark" not in drawn
    assert ".axis { stroke: #5d5a54;" in drawn
