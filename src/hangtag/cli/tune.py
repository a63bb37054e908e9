"""`hangtag tune`: a recipe's settings sought by Optuna."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from hangtag.cli._data import data_option
from hangtag.cli._duration import DURATION


@click.command(epilog="Example: hangtag tune three_conv --space published_grid --trials 10")
@click.argument("recipe")
@click.option(
    "--space",
    "lines",
    multiple=True,
    required=True,
    metavar="SPACE",
    help="What to try: a name of `hangtag list spaces`, key=low..high (:log, :linear), key=A,B,C, or 'key=1,2|3,4'.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the recipe that is the start.")
@click.option("--seed", type=click.IntRange(min=0), help="Start of all randomness.  [default: the recipe's, 0]")
@click.option("--epochs", type=click.IntRange(min=1), help="Times through the training pictures.")
@click.option(
    "--objective",
    type=click.Choice(["accuracy", "accuracy-time"]),
    default="accuracy",
    show_default=True,
    help="Validation accuracy; or that against training time: the fastest no less accurate than the start.",
)
@click.option(
    "--sampler",
    type=click.Choice(["tpe", "grid"]),
    help="Chosen by TPE, or every combination.  [default: tpe; grid for a space that says so]",
)
@click.option("--trials", type=click.IntRange(min=1), help="How many in all.  [default: 30, or the whole grid]")
@click.option("--timeout", type=DURATION, metavar="TIME", help="No new trial begins after 90s, 10m or 2h.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Trials at a time.")
@click.option("--prune/--no-prune", default=None, help="Stop trials worse than the median.  [default: for accuracy]")
@click.option("--storage", metavar="URL", help="postgresql://... for several machines.  [default: a file in --out]")
@click.option("--study", "name", metavar="NAME", help="Join or make the study of this name.")
@data_option()
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this study.  [default: under runs/]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    recipe: str,
    lines: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int | None,
    epochs: int | None,
    objective: Literal["accuracy", "accuracy-time"],
    sampler: str | None,
    trials: int | None,
    timeout: float | None,
    jobs: int,
    prune: bool | None,
    storage: str | None,
    name: str | None,
    data: str | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Seek better settings for RECIPE (a name of `hangtag list recipes`, or a JSON file).

    The first trial is the recipe as it stands. All are judged on the validation pictures. The folder gets recipe.json
    (for `hangtag train`), trials.csv, tune.json and tune.html. Ctrl-C saves all; the same command goes on, also towards
    more --trials.
    """
    from hangtag import recipes
    from hangtag.cli._tuning import show_tuned, watched
    from hangtag.core.recipe import override
    from hangtag.study import space, spaces
    from hangtag.study.tune import require_extras, tune
    from hangtag.study.tuned import results

    chosen = recipes.read(Path(recipe)) if recipe.endswith(".json") else recipes.create(recipe)
    require_extras(chosen)  # a space is checked against models, which need torch
    named = [f"{key}={value}" for key, value in (("seed", seed), ("epochs", epochs)) if value is not None]
    asked = space.read(lines, override(chosen, [*settings, *named]))
    grid = sampler == "grid" if sampler else all(spaces.is_grid(line) for line in lines)
    with watched(f"tuning {chosen.name}") as watch:
        study = tune(
            asked,
            objective=objective,
            grid=grid,
            trials=trials,
            timeout_s=timeout,
            jobs=jobs,
            prune=prune,
            storage=storage,
            name=name,
            data=data,
            out=out,
            device=device,
            watch=watch,
        )
    tuned = results(study)
    tuned.write()
    if study.stopped:
        raise KeyboardInterrupt(f"stopped, all trials saved in {study.out}: the same command goes on from there")
    if as_json:
        click.echo(json.dumps(tuned.to_dict(), allow_nan=False))
    else:
        from rich.console import Console

        show_tuned(tuned, Console(highlight=False))
