import pytest

from hangtag.checks.unfinished import unfinished


def epochs(*losses):
    return [{"epoch": i + 1, "val_loss": loss} for i, loss in enumerate(losses)]


def test_a_loss_that_still_falls_at_the_end_is_unfinished(evidence):
    found = unfinished(evidence(history=epochs(1.0, 0.8, 0.7, 0.6, 0.5)))
    assert found.severity == "note"
    assert found.number == pytest.approx(1 - 0.5 / 0.6)


def test_a_loss_that_has_turned_or_settled_is_finished(evidence):
    turned = unfinished(evidence(history=epochs(1.0, 0.5, 0.4, 0.45, 0.5)))
    assert (turned.severity, turned.number) == ("good", 0.0)
    assert "epoch 3 of 5" in turned.sentence
    assert unfinished(evidence(history=epochs(1.0, 0.5, 0.404, 0.402, 0.4))).severity == "good"


def test_a_loss_that_falls_with_its_rate_at_the_end_of_a_schedule_is_finished(evidence):
    rates = (1, 8, 6, 3, 0.1)
    falling = [
        record | {"learning_rate": rate} for record, rate in zip(epochs(1.0, 0.8, 0.7, 0.6, 0.5), rates, strict=True)
    ]
    found = unfinished(evidence(history=falling))
    assert (found.severity, found.number) == ("good", 0.0)
    assert "end of its schedule" in found.sentence
    constant = [record | {"learning_rate": 1e-3} for record in falling]
    assert unfinished(evidence(history=constant)).severity == "note"


def test_without_validation_losses_nothing_is_said(evidence):
    assert unfinished(evidence(history=[])) is None
    assert unfinished(evidence(history=[{"epoch": 1, "val_loss": None}] * 9)) is None
    assert unfinished(evidence(history=epochs(1.0, 0.5))) is None
