import pytest

from hangtag.core.card import Card
from hangtag.report.sections.curves import curves


def card(history=(), **training):
    return Card(name="x", class_names=("a", "b"), size=4, colour=False, training={"history": list(history), **training})


def epoch(number, val_loss):
    return {"epoch": number, "loss": 1 / number, "accuracy": 0.5, "val_loss": val_loss,
            "val_accuracy": None if val_loss is None else 0.6, "learning_rate": 0.1, "seconds": 1.0}  # fmt: skip


def test_draws_loss_accuracy_and_rate_and_marks_the_epoch_that_was_kept():
    found = curves(card([epoch(1, 0.5), epoch(2, 0.3), epoch(3, 0.4)], best_epoch=2))
    assert len(found.charts) == 3
    assert "best epoch: 2" in found.charts[0]
    assert "epoch 2 of 3 were kept" in found.remark
    assert len(found.rows) == 3


def test_without_early_stopping_the_lowest_validation_loss_is_marked():
    found = curves(card([epoch(1, 0.5), epoch(2, 0.3), epoch(3, 0.4)]))
    assert "best epoch: 2" in found.charts[1]
    assert "the weights of the last were kept" in found.remark


def test_a_model_without_validation_has_no_best_epoch_and_says_so():
    import dataclasses

    found = curves(dataclasses.replace(card([epoch(1, None), epoch(2, None)]), full=True))
    assert "best epoch" not in "".join(found.charts)
    assert "no validation curve: it learnt from the validation pictures too" in found.remark


@pytest.mark.parametrize(("recipe", "reason"), [({"kind": "classical"}, "fitted at once"), ({}, "keeps no record")])
def test_a_model_without_epochs_says_why(recipe, reason):
    found = curves(Card(name="x", class_names=("a", "b"), size=4, colour=False, recipe=recipe))
    assert found.charts == []
    assert reason in found.remark


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [({"label_smoothing": 0.1}, "smoothed labels"), ({"label_smoothing": 0.1, "teachers": ["t"]}, "teachers' too")],
)
def test_what_training_loss_is_taken_against_is_told(recipe, reason):
    import dataclasses

    found = curves(dataclasses.replace(card([epoch(1, 0.5), epoch(2, 0.3)]), recipe=recipe))
    assert reason in found.remark
