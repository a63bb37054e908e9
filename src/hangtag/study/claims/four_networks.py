"""LeNet-5 89%, Brownlee's network 88%, a custom CNN 92%, EfficientNet 91.9%."""

from __future__ import annotations

from hangtag.study.claims import Claim, Results, Row, register
from hangtag.study.claims._networks import COMPARED, better_in_time, judged, row_of

CLAIMED = {"lenet5": 0.89, "brownlee": 0.88, "custom_cnn": 0.92, "efficientnet": 0.919}
NAMES = {
    "lenet5": "LeNet-5",
    "brownlee": "Brownlee's CNN",
    "custom_cnn": "custom CNN",
    "efficientnet": "EfficientNet-B0",
}


def _rows(results: Results) -> list[Row]:
    rows = []
    for name, claimed in CLAIMED.items():
        row = row_of(results, name)
        accuracy, seconds = row["accuracy"], row["seconds"]["mean"]
        rows.append(
            Row(
                figure=f"{NAMES[name]}: test accuracy",
                claimed=claimed,
                ours=accuracy["mean"],
                spread=accuracy["sd"],
                n=row["n"],
                command=COMPARED.name,
                beaten=better_in_time(results, accuracy["mean"], seconds),
            )
        )
    return rows


register("four_networks")(
    Claim(
        said="LeNet-5 reaches 89%, Brownlee's network 88%, a custom CNN 92% and EfficientNet 91.9%.",
        measured_on="Fashion-MNIST, test pictures; hardware not stated; accuracy, loss and confusion matrix shown.",
        reading=(
            "Settings are not published: ours are the recipes of those names, n runs each. EfficientNet-B0 sees 28 "
            "pixels with two of the paper's five halvings left out, from random weights."
        ),
        commands=(COMPARED, *map(judged, CLAIMED)),
        rows=_rows,
        remarks=lambda results: [
            "Test loss: "
            + ", ".join(f"{NAMES[name]} {row_of(results, name)['loss']['mean']:.3f}" for name in CLAIMED)
            + "."
        ],
        confusions=tuple(f"{name}-confusion" for name in CLAIMED),
    )
)
