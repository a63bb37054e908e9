"""The comparison that several claims are read from: every network and algorithm a claim names, in one table."""

from __future__ import annotations

from typing import Any

from hangtag.core.errors import HangtagError
from hangtag.study.claims import Command, Results

NETWORKS = ("lenet5", "brownlee", "three_conv", "custom_cnn", "efficientnet")
OTHERS = ("mlp", "logistic", "svm", "hog_svm", "knn", "random_forest", "gradient_boosting")
OURS = ("seconds", "minutes")

COMPARED = Command(
    name="compare",
    words=("compare", *NETWORKS, *OTHERS, *OURS),
    quick=(
        "compare",
        "lenet5",
        "brownlee",
        "three_conv",
        "custom_cnn",
        "efficientnet",
        "mlp",
        "logistic",
        "seconds",
        "minutes",
        "--epochs",
        "1",
    ),
    seconds=1900,
    quick_seconds=300,
)


def judged(name: str) -> Command:
    """The confusion matrix of one of the compared networks."""
    return Command(
        name=f"{name}-confusion", words=("evaluate", f"{{compare}}/{name}/seed-{{seed}}/run"), seconds=10, keeps=False
    )


def row_of(results: Results, name: str) -> dict[str, Any]:
    """The compared recipe's row.

    Raises:
        HangtagError: `training_failed` if none of its runs came to an end.
    """
    rows: list[dict[str, Any]] = results[COMPARED.name]["rows"]
    row = next(row for row in rows if row["recipe"] == name)
    if not row["n"]:
        raise HangtagError("training_failed", f"{name}: {row['failed'][0]['error']['message']}")
    return row


def better_in_time(results: Results, accuracy: float, seconds: float) -> str:
    """Which of our recipes is more accurate and took no longer, in words; empty if none is and did."""
    found = [row for row in results[COMPARED.name]["rows"] if row["recipe"] in OURS and row["n"]]
    found = [row for row in found if row["accuracy"]["mean"] > accuracy and row["seconds"]["mean"] <= seconds]
    if not found:
        return ""
    best = max(found, key=lambda row: row["accuracy"]["mean"])
    return f"`{best['recipe']}`: {best['accuracy']['mean']:.2%} in {best['seconds']['mean']:.0f} s of {seconds:.0f} s"
