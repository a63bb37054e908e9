"""`hangtag train`: from a recipe to a bundle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from hangtag.cli._data import data_option


@click.command(epilog="Example: hangtag train three_conv --set model.dropout=0.3 --epochs 5")
@click.argument("recipe")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change the recipe: batch_size=128, optimiser.lr=0.01.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Start of all randomness.  [default: the recipe's, 0]")
@click.option("--epochs", type=click.IntRange(min=1), help="Times through the training pictures.")
@click.option("--full", is_flag=True, help="Learn from the validation pictures too; no early stopping.")
@data_option()
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run.  [default: under runs/]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    recipe: str,
    settings: tuple[str, ...],
    seed: int | None,
    epochs: int | None,
    full: bool,
    data: str | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Train RECIPE (a name of `hangtag list recipes`, or a JSON file) and bundle the result.

    Ctrl-C saves and stops; the same command goes on from there, and after the end it shows the result at once.
    """
    import shlex

    from hangtag import experiment, recipes
    from hangtag.cli._training import show_result, watched
    from hangtag.core.clock import process_age_s
    from hangtag.core.recipe import override

    chosen = recipes.read(Path(recipe)) if recipe.endswith(".json") else recipes.create(recipe)
    named = [f"{key}={value}" for key, value in (("seed", seed), ("epochs", epochs)) if value is not None]
    chosen = override(chosen, [*settings, *named])
    words = ["hangtag", "train", recipe, *(word for setting in settings for word in ("--set", setting))]
    options = {"--seed": seed, "--epochs": epochs, "--data": data, "--out": out}
    words += [str(word) for option in options.items() if option[1] is not None for word in option]
    words += ["--full"] * full + (["--device", device] if device != "auto" else [])
    with watched(chosen.name) as watch:
        run = experiment.run(
            chosen,
            data=data,
            out=out,
            full=full,
            device=device,
            watch=watch,
            clock=process_age_s,
            command=shlex.join(words),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(run), allow_nan=False))
    else:
        from rich.console import Console

        show_result(run, chosen.name, Console(highlight=False), data)
