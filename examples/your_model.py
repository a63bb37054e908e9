"""A network and a recipe of your own, in one file, trained in seconds. Run: python examples/your_model.py"""

from pathlib import Path

from torch import Tensor, nn

import hangtag
from hangtag import models


@models.register("tiny")
class Tiny(nn.Module):
    """Two strided convolutions and the mean of what they found."""

    def __init__(self, num_classes: int, in_channels: int, size: int, *, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, stride=2, padding=1),  # 28 -> 14
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),  # 14 -> 7
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),  # 7 -> 1
            nn.Flatten(),
            nn.Linear(2 * width, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:  # (N, C, size, size) -> logits (N, num_classes)
        return self.layers(images)


RECIPE = hangtag.NetworkRecipe(
    name="tiny",
    data="drawn",
    model=hangtag.Part("tiny", width=32),
    augment=(hangtag.Part("shift", pixels=1),),
    optimiser=hangtag.Part("adamw", lr=0.01),
    schedule=hangtag.Part("one_cycle"),
    epochs=3,
)


def main(out: Path = Path("runs/your_model")) -> None:
    run = hangtag.train(RECIPE, out=out)
    print(hangtag.evaluate(run.bundle))


if __name__ == "__main__":
    main()
