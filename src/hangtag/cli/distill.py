"""`hangtag distill`: a student learns from what trained models say."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hangtag.cli._data import data_option


@click.command(epilog="Example: hangtag distill default --into minutes --out runs/student")
@click.argument("teachers", nargs=-1, required=True, metavar="TEACHER...")
@click.option("--into", "recipe", metavar="RECIPE", required=True, help="How the student is trained: a name or file.")
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="Softens answers.  [default: 4]")
@click.option("--weight", type=click.FloatRange(0, 1), help="Of the teachers; labels have the rest.  [default: 0.9]")
@click.option(
    "--views", type=click.IntRange(min=0), help="Augmented views that teachers are asked about.  [default: 0]"
)
@click.option("--plain/--no-plain", help="Train the same student without teachers too, to compare.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option("--seed", type=click.IntRange(min=0), help="Start of all randomness.  [default: the recipe's, 0]")
@click.option("--epochs", type=click.IntRange(min=1), help="Times through the training pictures.")
@click.option("--full", is_flag=True, help="Learn from the validation pictures too; no early stopping.")
@data_option()
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this run.  [default: under runs/]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    teachers: tuple[str, ...],
    recipe: str,
    temperature: float | None,
    weight: float | None,
    views: int | None,
    plain: bool,
    settings: tuple[str, ...],
    seed: int | None,
    epochs: int | None,
    full: bool,
    data: str | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Train RECIPE to answer as the TEACHERs do (bundles of the same classes), and bundle the result.

    Hinton et al. 2015. Teachers are asked once about every training picture. With --views N they are asked about N
    augmented views of each, on which the student then trains: more accurate, but asking takes N times as long. Ctrl-C
    saves and stops; the same command goes on from there.
    """
    from hangtag import recipes
    from hangtag.cli._training import show_result, watched
    from hangtag.core.recipe import override
    from hangtag.study.distil import distil

    base = recipes.read(Path(recipe)) if recipe.endswith(".json") else recipes.create(recipe)
    given = (("seed", seed), ("epochs", epochs), ("temperature", temperature), ("teacher_weight", weight))
    base = override(base, [*settings, *(f"{key}={value}" for key, value in given if value is not None)])
    with watched(f"{base.name}, taught by {', '.join(teachers)}") as watch:
        found = distil(
            teachers, base, views=views, plain=plain, data=data, out=out, full=full, device=device, watch=watch
        )
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
        return
    from rich.console import Console
    from rich.text import Text

    from hangtag.core.printable import printable

    console = Console(highlight=False)
    show_result(found.student, base.name, console, data)
    for teacher in found.teachers:
        if teacher["val_accuracy"] is None:
            told = "may know the validation pictures"
        else:
            told = f"{teacher['val_accuracy']:.2%} in validation"
        console.print(Text(f"  teacher {printable(teacher['bundle'])}: {told}", "dim"))
    if found.plain is not None and found.plain.val_accuracy is not None:
        console.print(Text(f"  without teachers: {found.plain.val_accuracy:.2%} in validation", "dim"))
