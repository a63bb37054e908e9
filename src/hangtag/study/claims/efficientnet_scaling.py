"""EfficientNet is the best in scalability and generalisation."""

from __future__ import annotations

from typing import Any

from hangtag.study.claims import Claim, Command, Results, Row, register
from hangtag.study.claims._networks import COMPARED, NETWORKS, row_of

_HALF = "16,8,12,20,40,56,96,160"  # every filter count of B0, halved
_EPOCHS = ("--epochs", "2")
_SIZES: dict[str, tuple[tuple[str, ...], float]] = {  # and about how many seconds an epoch of it takes
    "efficientnet-half": (("efficientnet", "--set", f"model.filters={_HALF}"), 100),
    "efficientnet-coarse": (("efficientnet", "--set", "model.strides=2,2,2,2,1,1,1,1"), 135),
    "efficientnet-whole": (("efficientnet",), 190),
    "custom_cnn-half": (("custom_cnn", "--set", "model.filters=16,32,64"), 16),
    "custom_cnn-whole": (("custom_cnn",), 26),
}


def _trained(name: str) -> Command:
    words, epoch = _SIZES[name]
    return Command(
        name=name,
        words=("train", *words, *_EPOCHS),
        quick=("train", *words, "--epochs", "1", "--set", "few=1000"),  # of 5,500 pictures a class
        seconds=2 * epoch,
        quick_seconds=epoch / 4,
    )


def _gap(results: Results, name: str) -> float:
    row = row_of(results, name)
    gap: float = row["train_accuracy"]["mean"] - row["accuracy"]["mean"]
    return gap


def _rows(results: Results) -> list[Row]:
    def gain(network: str, small: str) -> float:
        found: float = results[f"{network}-whole"]["val_accuracy"] - results[f"{network}-{small}"]["val_accuracy"]
        return found

    others = {name: _gap(results, name) for name in NETWORKS if name != "efficientnet"}
    least = min(others, key=lambda name: others[name])
    return [
        Row(
            figure="gain from half to whole width: EfficientNet less custom CNN (validation)",
            claimed=0.0,
            unit="points",
            ours=gain("efficientnet", "half") - gain("custom_cnn", "half"),
            command="efficientnet-whole",
        ),
        Row(
            figure="gain from maps of half to whole resolution: EfficientNet (validation)",
            claimed=0.0,
            unit="points",
            ours=gain("efficientnet", "coarse"),
            command="efficientnet-coarse",
        ),
        Row(
            figure=f"training less test accuracy: EfficientNet less the best other ({least})",
            claimed=0.0,
            unit="points",
            ours=_gap(results, "efficientnet") - others[least],
            wanted="most",
            command=COMPARED.name,
        ),
    ]


def _remarks(results: Results) -> list[str]:
    def told(name: str, run: dict[str, Any]) -> str:
        return f"{name} {run['val_accuracy']:.2%} ({run['params']:,} weights, {run['seconds']:.0f} s)"

    return [
        "Validation accuracy after two epochs: " + "; ".join(told(name, results[name]) for name in _SIZES) + ".",
        "Training less test accuracy: "
        + "; ".join(f"{name} {100 * _gap(results, name):.1f} points" for name in NETWORKS)
        + ".",
    ]


register("efficientnet_scaling")(
    Claim(
        said="Of four networks tried, EfficientNet is best in scalability and generalisation.",
        measured_on="Fashion-MNIST, beside LeNet-5, Brownlee's network and a custom CNN; no measure was stated.",
        reading=(
            "Scalability: how much validation accuracy grows with width, against the custom CNN, and with the "
            "resolution of its maps, two epochs each. Generalisation: accuracy on training pictures less accuracy on "
            "test pictures, the smaller the better, each trained to its recipe's end."
        ),
        commands=(COMPARED, *map(_trained, _SIZES)),
        rows=_rows,
        remarks=_remarks,
    )
)
