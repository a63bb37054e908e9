"""Pretraining on five classes and transfer to the other five: 96% validation and 96% test, a good fit."""

from __future__ import annotations

from typing import Any

from hangtag.core.errors import HangtagError
from hangtag.study.claims import Claim, Command, Results, Row, register

MOVED = Command(
    name="transfer",
    words=("transfer", "--from", "0-4", "--to", "5-9"),
    quick=("transfer", "--from", "0-4", "--to", "5-9", "--epochs", "1"),
    seconds=600,
    quick_seconds=70,
)


def _stage(results: Results, name: str) -> dict[str, Any]:
    stage: dict[str, Any] = results[MOVED.name][name]
    if "error" in stage:
        raise HangtagError("training_failed", f"{name}: {stage['error']['message']}")
    return stage


def _rows(results: Results) -> list[Row]:
    before, frozen = _stage(results, "pretrain"), _stage(results, "frozen")
    return [
        Row(
            figure="classes 0-4, pretrained: validation accuracy",
            claimed=0.96,
            ours=before["val_accuracy"],
            command=MOVED.name,
        ),
        Row(
            figure="classes 5-9, convolutions frozen: test accuracy",
            claimed=0.96,
            ours=frozen["test_accuracy"],
            command=MOVED.name,
        ),
        Row(figure="classes 5-9, frozen: macro precision", claimed=0.96, ours=frozen["precision"], command=MOVED.name),
        Row(figure="classes 5-9, frozen: macro recall", claimed=0.96, ours=frozen["recall"], command=MOVED.name),
    ]


def _remarks(results: Results) -> list[str]:
    tuned, scratch = (_stage(results, name)["test_accuracy"] for name in ("fine_tuned", "scratch"))
    return [
        f"On classes 5-9, all layers fine-tuned reach {tuned:.2%} of the test pictures and the same network from "
        f"scratch {scratch:.2%}: with all labels at hand, frozen features are the cheaper way, not the better one. Fit "
        f"of the frozen stage: {_stage(results, 'frozen')['fit']}."
    ]


register("transfer")(
    Claim(
        said=(
            "Pretrained on five classes, a network reaches 96% on validation pictures; its convolutions frozen and "
            "dense layers trained anew on the other five, 96% on test pictures, a good fit."
        ),
        measured_on="Fashion-MNIST, classes 0-4 and 5-9; hardware not stated.",
        reading=(
            "Classes 0-4 (shirts and the like) first, then 5-9 (shoes and bags). Precision and recall, claimed without "
            "numbers, are held against the same 96%."
        ),
        commands=(MOVED,),
        rows=_rows,
        remarks=_remarks,
    )
)
