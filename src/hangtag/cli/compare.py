"""`hangtag compare`: recipes and models side by side, and which differences are real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from hangtag.cli._data import data_option
from hangtag.cli._duration import DURATION


@click.command(epilog="Example: hangtag compare lenet5 three_conv hog_svm --seeds 3 --budget 60s")
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change every recipe: lr=0.01, batch_size=64."
)
@click.option("--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Runs of each recipe.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed; others follow.")
@click.option("--epochs", type=click.IntRange(min=1), help="For every network.  [default: its recipe's]")
@click.option(
    "--budget", type=DURATION, metavar="TIME", help="Training time of every network, 30s, 5m or 1h: sets its epochs."
)
@click.option(
    "--split",
    type=click.Choice(["test", "val"]),
    default="test",
    show_default=True,
    help="Pictures to judge on; val to choose between recipes.",
)
@data_option("A folder, a set's name, or NAME=PATH.  [default: the recipes' own]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this study.  [default: under runs/]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    recipes: tuple[str, ...],
    settings: tuple[str, ...],
    seeds: int,
    seed: int,
    epochs: int | None,
    budget: float | None,
    split: Literal["test", "val"],
    data: str | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Train each RECIPE alike, judge all on the same pictures, and say which differences are real.

    RECIPE is a recipe's name or JSON file, a bundle's name or folder, or a model that others made: an .onnx file, or a
    .keras file. Each run is a process of its own. Ctrl-C saves; the same command goes on, and tries what failed again.
    """
    from hangtag.cli._study import show_comparison, watched_study
    from hangtag.core.errors import HangtagError
    from hangtag.core.optional import require
    from hangtag.study import contestants
    from hangtag.study.compare import compare
    from hangtag.study.page import write

    if budget is not None and epochs is not None:
        raise HangtagError("usage_value", "--budget sets the epochs: leave --epochs out, or --budget")
    for package in ("scipy.stats", "jinja2"):  # told now, not after an hour of training
        require(package, extra="report")
    chosen = contestants.read(recipes, epochs=epochs, settings=settings)
    with watched_study(f"comparing {len(chosen)}") as watch:
        found = compare(
            chosen,
            range(seed, seed + seeds),
            budget_s=budget,
            data=data,
            out=out,
            split=split,
            device=device,
            watch=watch,
        )
    write(found)
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
    else:
        show_comparison(found)
