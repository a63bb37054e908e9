"""`hangtag transfer`: what convolutions learnt on some classes are worth on others."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hangtag.cli._data import data_option


@click.command(epilog="Example: hangtag transfer --from 0-4 --to 5-9 --few 10,100,1000")
@click.argument("recipe", required=False)
@click.option("--from", "learnt", metavar="CLASSES", default="", help="Pretrain on these: 0-4, or names with commas.")
@click.option("--to", "new", metavar="CLASSES", default="", help="Classes to transfer to.  [with --start: all]")
@click.option(
    "--start", metavar="BUNDLE", help="Start from this in place of pretraining: a bundle, a weights file, imagenet."
)
@click.option("--few", default="", metavar="N,N", help="Repeat it with so many labels of each class.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the recipe, for all stages.")
@click.option("--seed", type=click.IntRange(min=0), help="Start of all randomness.  [default: the recipe's, 0]")
@click.option("--epochs", type=click.IntRange(min=1), help="Times through the training pictures; a third for frozen.")
@data_option()
@click.option("--out", type=click.Path(path_type=Path), help="Folder of this study.  [default: under runs/]")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    recipe: str | None,
    learnt: str,
    new: str,
    start: str | None,
    few: str,
    settings: tuple[str, ...],
    seed: int | None,
    epochs: int | None,
    data: str | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Pretrain on some classes, freeze the convolutions, train new dense layers on others.

    In the same table: all layers fine-tuned from the same start, and the same network from scratch. RECIPE is a network
    of `hangtag list recipes` (by default `transfer`, or that of the bundle to --start from). The test pictures are read
    once, when everything is trained. Killed and started again it goes on.
    """
    from hangtag import recipes
    from hangtag.cli._training import watched
    from hangtag.cli._transfer import numbers, show
    from hangtag.core.errors import HangtagError
    from hangtag.core.recipe import NetworkRecipe, override
    from hangtag.core.typed import words
    from hangtag.study.transfer import recipe_of, transfer
    from hangtag.study.transfer_page import write

    if recipe is not None:
        base = recipes.read(Path(recipe)) if recipe.endswith(".json") else recipes.create(recipe)
    else:
        base = recipes.create("transfer") if start is None else recipe_of(start)
    named = [f"{key}={value}" for key, value in (("seed", seed), ("epochs", epochs)) if value is not None]
    base = override(base, [*settings, *named])
    if not isinstance(base, NetworkRecipe):
        raise HangtagError("usage_value", f"{base.name} has no layers to transfer: choose a network")
    with watched(f"transfer with {base.name}") as watch:
        found = transfer(
            base,
            learnt=tuple(words(learnt)),
            new=tuple(words(new)),
            start=start,
            few=numbers(few),
            data=data,
            out=out,
            device=device,
            watch=watch,
        )
    write(found)
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
    else:
        show(found)
