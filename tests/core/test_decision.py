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
    ("record", "accept_at"), [(RECORD, 0.0), (RECORD, 1.0), (RECORD, 98.0), (RECORD, -1.0), (RECORD, "0.9"), ({}, 0.9)]
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


STRANGE = {**RECORD, "known": 0.3, "known_curve": [[0.1, 0.99], [0.3, 0.95], [0.7, 0.6]]}


@pytest.mark.parametrize(
    ("confidence", "known", "status"),
    [(0.99, 0.29, "none_of_these"), (0.99, 0.3, "accept"), (0.5, 0.3, "unsure"), (0.99, None, "accept")],
)
def test_what_looks_like_no_class_is_called_so_however_sure_the_model_is(confidence, known, status):
    assert decision_for(STRANGE).status(confidence, known) == status
    assert decision_for(RECORD).status(confidence, 0.0) != "none_of_these"  # nobody measured where that begins


def test_the_reason_for_none_of_these_says_what_other_images_reach():
    assert decision_for(STRANGE).why(0.99, 0.029) == (
        "It looks too little like any of the classes: 2.9% is below 30.0%, which 95% of the held-out images of the "
        "classes reach."
    )
    assert decision_for({"known": 0.3}).why(0.99, 0.029).endswith("2.9% is below 30.0%.")
    assert decision_for(STRANGE).why(0.99, 0.9) == decision_for(RECORD).why(0.99, None)


def test_what_the_card_has_chosen_holds_unless_another_accuracy_is_stated():
    record = {**STRANGE, "confidence": 0.75, "accept_at": 0.97}
    assert (decision_for(record).confidence, decision_for(record).accept_at) == (0.75, 0.97)
    assert decision_for(record, 0.95) == decision_for(STRANGE, 0.95)


@pytest.mark.parametrize("record", [{"curve": 3}, {"curve": [[1, 2]]}, {"known": []}, {"known_curve": [["a", "b"]]}])
def test_a_record_that_makes_no_sense_is_one_line(record):
    with pytest.raises(HangtagError) as caught:
        decision_for(record)
    assert caught.value.code == "bundle_incompatible"
