"""A network of your own, in one file: write it, name it, train it, use it.

    python examples/your_model.py

A model is a class registered under a name; a recipe says how it is trained. In Python everything else
works for it as for ours: checkpoints, export to ONNX, `hangtag.override(recipe, ["model.width=32"])`. The `hangtag`
command trains what lies in its own folders only; the bundle that comes out is for every command.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

import hangtag
from hangtag import NetworkRecipe, Part, models, recipes


@models.register("two_conv")
class TwoConv(nn.Module):
    """Keyword parameters with a default are its options: `Part("two_conv", width=32)`, `model.width=32`."""

    def __init__(self, num_classes: int, in_channels: int, size: int, *, width: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, stride=2, padding=1),  # 28 -> 14
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),  # 14 -> 7
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * ((size + 3) // 4) ** 2, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        logits: Tensor = self.layers(images)
        return logits


@recipes.register("two_conv")
def two_conv() -> NetworkRecipe:
    """Drawn garments need no download; `data="fashion-mnist"` is the real thing."""
    return NetworkRecipe(
        name="two_conv",
        data="drawn",
        model=Part("two_conv", width=8),
        augment=(Part("flip"), Part("shift")),
        optimiser=Part("adam", lr=3e-3),
        schedule=Part("one_cycle"),
        batch_size=128,
        epochs=3,
    )


def main(out: Path = Path("runs/two_conv")) -> None:
    """Train, judge, recognise."""
    run = hangtag.train(hangtag.recipe("two_conv"), out=out / "narrow")
    wider = replace(two_conv(), model=Part("two_conv", width=16))
    better = hangtag.train(wider, out=out / "wider")
    print(f"validation accuracy: {run.val_accuracy:.1%}, twice as wide {better.val_accuracy:.1%}")

    evaluation = hangtag.evaluate(better.bundle)
    print(f"on {evaluation.n:,} test pictures: {evaluation.accuracy:.1%}")

    model = hangtag.load(better.bundle)  # ONNX Runtime alone: neither torch nor this file is needed from here on
    print(f"its classes: {', '.join(model.class_names)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
