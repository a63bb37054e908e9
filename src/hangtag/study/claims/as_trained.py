"""The three-conv CNN as its authors say they trained it: Adam 0.01, batch 32, 10 epochs, early stopping 3."""

from __future__ import annotations

from hangtag.study.claims import Claim, Command, Results, Row, register
from hangtag.study.claims._networks import COMPARED, better_in_time

TRAINED = Command(
    name="as-trained",
    words=("train", "three_conv", "--set", "optimiser.lr=0.01", "--set", "batch_size=32"),
    quick=("train", "three_conv", "--set", "optimiser.lr=0.01", "--set", "batch_size=32", "--epochs", "1"),
    seconds=110,
    quick_seconds=15,
)
JUDGED = Command(name="as-trained-test", words=("evaluate", "{as-trained}"), seconds=10, keeps=False)


def _rows(results: Results) -> list[Row]:
    judged, seconds = results[JUDGED.name], results[TRAINED.name]["seconds"]
    return [
        Row(
            figure="test accuracy, as said to be trained",
            claimed=0.90,
            ours=judged["accuracy"],
            command=JUDGED.name,
            beaten=better_in_time(results, judged["accuracy"], seconds),
        ),
        Row(
            figure="test loss, as said to be trained",
            claimed=0.30,
            ours=judged["loss"],
            unit="loss",
            wanted="most",
            command=JUDGED.name,
        ),
    ]


register("as_trained")(
    Claim(
        said="A CNN of three convolutions reaches 0.90 with a loss of 0.30, trained with Adam at 0.01.",
        measured_on="Fashion-MNIST, test pictures; hardware not stated.",
        reading="Adam 0.01, batch 32, at most 10 epochs, early stopping after 3 that keeps the best weights.",
        commands=(TRAINED, JUDGED, COMPARED),
        rows=_rows,
        remarks=lambda results: [
            "A rate of 0.01 is ten times what their own grid found best; it is measured because it is what they say "
            "the final network was trained with."
        ],
        confusions=(JUDGED.name,),
    )
)
