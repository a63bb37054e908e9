"""A CNN above 91% on training and test pictures, and better than the other algorithms tried."""

from __future__ import annotations

from hangtag.core.errors import HangtagError
from hangtag.study.claims import Claim, Results, Row, register
from hangtag.study.claims._networks import COMPARED, OTHERS, better_in_time, judged, row_of


def _rows(results: Results) -> list[Row]:
    ours = row_of(results, "custom_cnn")
    others = [row for row in results[COMPARED.name]["rows"] if row["recipe"] in OTHERS and row["n"]]
    if not others:
        raise HangtagError("training_failed", "none of the other algorithms came to its end")
    best = max(row["accuracy"]["mean"] for row in others)
    faster = better_in_time(results, ours["accuracy"]["mean"], ours["seconds"]["mean"])
    return [
        Row(
            figure="CNN: accuracy on training pictures",
            claimed=0.91,
            ours=ours["train_accuracy"]["mean"],
            n=ours["n"],
            command=COMPARED.name,
        ),
        Row(
            figure="CNN: test accuracy",
            claimed=0.91,
            ours=ours["accuracy"]["mean"],
            beaten=faster,
            n=ours["n"],
            command=COMPARED.name,
        ),
        Row(
            figure="CNN less the best other algorithm",
            claimed=0.0,
            unit="points",
            ours=ours["accuracy"]["mean"] - best,
            n=ours["n"],
            command=COMPARED.name,
        ),
    ]


def _remarks(results: Results) -> list[str]:
    ours = row_of(results, "custom_cnn")["recipe"]
    said = []
    for pair in results[COMPARED.name]["pairs"]:
        if ours in (pair["first"], pair["second"]) and {pair["first"], pair["second"]} & set(OTHERS):
            other, sign = (pair["second"], 1) if pair["first"] == ours else (pair["first"], -1)
            gain, p = sign * pair["difference"], pair["p_holm"]
            said.append(
                f"{ours} against {other}: {100 * gain:+.1f} points, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
            )
    return [f"McNemar's exact test on the same test pictures, Holm-corrected over all pairs: {'; '.join(said)}."]


register("better_than_others")(
    Claim(
        said="A CNN reaches more than 91% on both training and test pictures, better than the other algorithms tried.",
        measured_on="Fashion-MNIST; hardware not stated.",
        reading=(
            "The network is not published. Ours is `custom_cnn`, three blocks with batch norm and dropout. The other "
            "algorithms are not named: ours are a multilayer perceptron, logistic regression, two support vector "
            "machines, nearest neighbours, a random forest and gradient boosting. Training accuracy is that of the "
            "finished network on pictures it learnt from, as they are."
        ),
        commands=(COMPARED, judged("custom_cnn")),
        rows=_rows,
        remarks=_remarks,
        confusions=("custom_cnn-confusion",),
    )
)
