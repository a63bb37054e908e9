"""From which confidence on an answer is accepted, and why."""

from __future__ import annotations

import pytest

from hangtag.core.decision import UNMEASURED, decision_for
from hangtag.core.errors import HangtagError

RECORD = {"n": 1000, "data": "x", "curve": [[0.99, 0.5, 0.995], [0.9, 0.8, 0.981], [0.6, 0.9, 0.96], [0.2, 1.0, 0.93]]}


@pytest.mark.parametrize(("accept_at", "threshold"), [(None, 0.9), (0.98, 0.9), (0.95, 0.6), (0.5, 0.2), (0.99, 0.99)])
def test_the_lowest_threshold_that_reaches_the_stated_accuracy_is_taken(accept_at, threshold):
    decision = decision_for(RECORD, accept_at)
    assert decision.confidence == threshold
    assert decision.status(threshold) == "accept"
    assert decision.status(threshold - 1e-6) == "unsure"


def test_where_no_threshold_reaches_it_nothing_is_accepted():
    decision = decision_for(RECORD, 0.999)
    assert decision.status(1.0) == "unsure"
    assert "99.9%" in decision.why(1.0)


def test_without_thresholds_nine_tenths_are_asked_for():
    decision = decision_for({})
    assert [decision.status(UNMEASURED - 0.01), decision.status(UNMEASURED)] == ["unsure", "accept"]
    assert "no threshold was measured" in decision.why(0.5)


@pytest.mark.parametrize(
    ("record", "accept_at"), [(RECORD, 0.0), (RECORD, 1.0), (RECORD, 98.0), (RECORD, -1.0), ({}, 0.9)]
)
def test_an_accuracy_that_cannot_be_had_is_one_line(record, accept_at):
    with pytest.raises(HangtagError) as caught:
        decision_for(record, accept_at)
    assert caught.value.code == "usage_value"
    assert "\n" not in caught.value.message


def test_the_reason_is_a_sentence_with_both_numbers():
    assert decision_for(RECORD).why(0.95) == (
        "Confidence 95.0% is at or above 90.0%, from which 98.0% or more of the held-out images were right."
    )
    assert decision_for(RECORD).why(0.5).startswith("Confidence 50.0% is below 90.0%")
