"""hangtag evaluate: how good a trained model is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hangtag.cli._data import data_option
from hangtag.cli._engine import ENGINE

if TYPE_CHECKING:
    from hangtag.predict import Engine


@click.command(epilog="Example: hangtag evaluate default --split val")
@click.argument("bundle")
@click.option(
    "--split", type=click.Choice(["test", "val"]), default="test", show_default=True, help="Pictures to judge."
)
@ENGINE
@data_option("Where the data lies. [default: the data the model was trained on]", "PATH")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(bundle: str, split: str, engine: Engine, data: str | None, as_json: bool) -> None:
    """Accuracy, loss, per-class scores and confusions of BUNDLE (a folder or a name).

    The accuracy comes with its 95% interval: two models whose intervals overlap much may well be equally good.
    """
    from hangtag.cli._progress import bars
    from hangtag.core.printable import printable
    from hangtag.evaluation import evaluate_bundle

    with bars() as progress:
        evaluation = evaluate_bundle(bundle, data, "val" if split == "val" else "test", progress, engine)
    if evaluation.reading:
        click.secho(printable(evaluation.reading["line"]), dim=True, err=True)
    cannot = _cannot(bundle)
    if as_json:
        click.echo(json.dumps({**evaluation.to_dict(), "provenance": cannot}, allow_nan=False))
    else:
        from rich.console import Console
        from rich.text import Text

        console = Console()
        console.print(evaluation)
        if cannot:
            console.print(Text(printable(cannot), "dim"))


def _cannot(bundle: str) -> str:
    """What of the model's making cannot be repeated; nothing of a model without a card."""
    from hangtag.core import card as cards
    from hangtag.core.errors import HangtagError
    from hangtag.core.paths import find_bundle
    from hangtag.core.provenance import provenance

    try:
        folder = find_bundle(bundle)
        return provenance(cards.read(folder), folder).sentence
    except HangtagError:
        return ""
