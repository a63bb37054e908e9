"""`hangtag speedup`: how much sooner a recipe is trained after some changes, and which of them it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hangtag.cli._data import data_option

if TYPE_CHECKING:
    from hangtag.study.speedup import Chain, Change

_BAR = 16  # characters of the longest time


@click.command(epilog="Example: hangtag speedup lenet5 --change 'batch size: batch_size=512 optimiser.lr=6e-3'")
@click.argument("recipe", default="speed_baseline")
@click.option(
    "--change",
    "lines",
    multiple=True,
    metavar="NAME: KEY=VALUE ...",
    help="A step, on top of those before it.  [default: epochs, precision, batch size, kernels and filters, dropout "
    "and shifts]",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the recipe that is the start.")
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="Runs of each step.")
@click.option("--seed", type=click.IntRange(min=0), help="Start of all randomness.  [default: the recipe's, 0]")
@data_option()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="runs/speedup",
    show_default=True,
    help="Folder of all runs; the same folder goes on.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    recipe: str,
    lines: tuple[str, ...],
    settings: tuple[str, ...],
    repeats: int,
    seed: int | None,
    data: str | None,
    out: Path,
    device: str,
    as_json: bool,
) -> None:
    """Train RECIPE (a name of `hangtag list recipes`, or a JSON file) as it is and after each change.

    The ratio of two steps' times is what a change brought; the product of the ratios is the whole. Each run is a
    process of its own. Ctrl-C saves; the same command goes on from there.
    """
    from hangtag import recipes
    from hangtag.cli._progress import bars
    from hangtag.core.errors import HangtagError
    from hangtag.core.printable import printable
    from hangtag.core.recipe import override
    from hangtag.study.speedup import BASELINE, CHANGES, speed_chain

    if recipe != BASELINE and not lines:
        raise HangtagError("usage_setting", f"say what is to change of {recipe!r}: --change 'name: key=value ...'")
    chosen = recipes.read(Path(recipe)) if recipe.endswith(".json") else recipes.create(recipe)
    chosen = override(chosen, [*settings, *([] if seed is None else [f"seed={seed}"])])

    def message(text: str) -> None:
        click.secho(printable(text), err=True, dim=True)

    with bars() as progress:
        chain = speed_chain(
            out,
            baseline=chosen,
            changes=[_change(line) for line in lines] or CHANGES,
            data=data,
            device=device,
            repeats=repeats,
            message=message,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps({"out": str(out), **chain.to_dict()}, allow_nan=False))
    else:
        _show(chain)


def _change(line: str) -> Change:
    from hangtag.core.errors import HangtagError
    from hangtag.study.speedup import Change

    name, colon, rest = line.partition(":")
    if not colon or not name.strip() or not rest.split():
        raise HangtagError("usage_setting", f"--change wants 'name: key=value ...', not {line!r}")
    return Change(name.strip(), tuple(rest.split()))


def _show(chain: Chain) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hangtag.core.printable import printable
    from hangtag.watch import clock

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("step", "time", "ratio", "share", "training", "test", "MB", ""):
        table.add_column(head, justify="left" if head in ("step", "") else "right")
    slowest = max(step.seconds for step in chain.steps)
    for i, step in enumerate(chain.steps):
        table.add_row(
            Text(printable(step.name)),
            clock(step.seconds),
            f"×{step.ratio:.3f}" if i else "",
            f"{step.share:.0%}" if i else "",
            f"{step.train_accuracy:.2%}",
            f"{step.test_accuracy:.2%}",
            f"{step.peak_rss_mb:,.0f}",
            Text("━" * max(1, round(_BAR * step.seconds / slowest)), "green"),
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(Text(printable(chain.sentence()), "bold"))
