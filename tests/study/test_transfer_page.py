"""What a transfer study comes to, in sentences anybody can read."""

from pathlib import Path

import pytest

from hangtag.study.transfer import KINDS, Stage, Transfer
from hangtag.study.transfer_page import sentences, to_html

CLASSES = ["Sandal", "Bag"]


def stage(name, accuracy, few=None):
    right = round(1000 * accuracy)
    numbers = {
        **dict.fromkeys(("val_accuracy", "val_precision", "val_recall", "precision", "recall"), accuracy),
        **{"val_loss": 0.1, "test_loss": 0.1, "test_accuracy": accuracy, "n": 1000, "labels": 100, "seconds": 10.0},
        "test_interval": [accuracy - 0.02, accuracy + 0.02],
        "class_names": CLASSES,
        "confusion": [[right, 1000 - right], [0, 0]],
        "fit": "good fit",
        "epochs": 2,
        "params": 10,
    }
    return Stage(name=name, few=few, numbers=numbers)


def study(whole, few, start="/home/somebody/runs/clothes/bundle"):
    return Transfer(
        folder=Path("runs/x"),
        data="fashion-mnist",
        learnt=(),
        new=tuple(CLASSES),
        start=start,
        stages=tuple(map(stage, KINDS, whole)),
        few=tuple(stage(name, accuracy, 10) for name, accuracy in zip(KINDS, few, strict=True)),
    )


@pytest.mark.parametrize(
    ("few", "said"),
    [
        (
            (0.86, 0.89, 0.86),
            "With 10 labels of each class: all layers fine-tuned 89.00%, from scratch 86.00%; "
            "transfer is worth +3.0 points.",
        ),
        (
            (0.86, 0.80, 0.85),
            "With 10 labels of each class: convolutions frozen 86.00%, from scratch 85.00%; "
            "transfer is worth no more than chance may bring.",
        ),
        (
            (0.80, 0.81, 0.90),
            "With 10 labels of each class: all layers fine-tuned 81.00%, from scratch 90.00%; "
            "transfer is worth -9.0 points.",
        ),
    ],
)
def test_says_what_transfer_is_worth_with_the_fewest_labels(few, said):
    assert sentences(study((0.95, 0.96, 0.97), few))[-1] == said


def test_the_page_names_a_start_without_the_folders_of_whoever_ran_it():
    html = to_html(study((0.95, 0.96, 0.97), (0.8, 0.8, 0.8)))
    assert "clothes/bundle" in html
    assert "/home/somebody" not in html
