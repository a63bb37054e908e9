"""`hangtag ensemble`: several bundles as one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from hangtag.cli._data import data_option


@click.command(epilog="Example: hangtag ensemble runs/one runs/two --how weighted --out runs/both")
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE BUNDLE...")
@click.option(
    "--how",
    type=click.Choice(["average", "weighted", "soup"]),
    default="average",
    show_default=True,
    help="Mean of answers; with weights fitted on validation pictures; or one network with the mean of weights.",
)
@click.option("--half", is_flag=True, help="Keep weights in 16 bits: half the size, computed with in 32.")
@data_option("Where the data lies. [default: the data the first was trained on]", "PATH")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the result.  [default: under runs/]")
@click.option("--seed", type=click.IntRange(min=0), help="Taken as everywhere; nothing here is drawn.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    bundles: tuple[str, ...],
    how: Any,
    half: bool,
    data: str | None,
    out: Path | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Put bundles of the same classes together into one, to be used like any other.

    An average or weighted ensemble is one ONNX graph that holds its members; a soup is one network as large as each.
    """
    from hangtag.cli._training import watched
    from hangtag.study.ensemble import ensemble

    with watched(f"ensemble, {how}") as watch:
        found = ensemble(bundles, how=how, half=half, data=data, out=out, watch=watch)
    if as_json:
        click.echo(json.dumps({"out": found.bundle, **dataclasses.asdict(found)}, allow_nan=False))
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from hangtag.core.printable import printable

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    for heading in ("weight", "validation accuracy", "loss"):
        table.add_column(heading, justify="right")
    rows = [(one.bundle, f"{one.weight:.3f}", one.val_accuracy, one.val_loss) for one in found.members]
    for name, weight, accuracy, loss in [*rows, (f"together ({how})", "", found.val_accuracy, found.val_loss)]:
        shown = ("–", "–") if accuracy is None else (f"{accuracy:.2%}", f"{loss:.4f}")
        style = "" if weight else "bold green"
        table.add_row(Text(printable(name), "bold"), weight, Text(shown[0], style), shown[1])
    console = Console(highlight=False)
    console.print(Padding(table, (1, 0, 1, 2)))
    console.print(f"  {found.params:,} parameters, in")
    console.print(Text(f"  {printable(found.bundle)}", "cyan"), soft_wrap=True)
