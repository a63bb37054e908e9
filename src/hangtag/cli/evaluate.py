"""hangtag evaluate: how good a trained model is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
@click.option(
    "--map", "mapping", metavar="FOLDER=CLASS,...", help="Photos of other class names: all of --data is used."
)
@click.option("--by", metavar="COLUMN", help="With --map and --table: accuracy for each value of a column.")
@click.option("--table", metavar="CSV", help="A table with a column path, and the column of --by.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    bundle: str,
    split: str,
    engine: Engine,
    data: str | None,
    mapping: str | None,
    by: str | None,
    table: str | None,
    as_json: bool,
) -> None:
    """Accuracy, loss, per-class scores and confusions of BUNDLE (a folder or a name).

    The accuracy comes with its 95% interval: two models whose intervals overlap much may well be equally good. With
    --map, photos whose folders have other names, such as pants=Trouser,jeans=Trouser, are recognised from their files;
    classes that are not mapped nor the model's are expected to be none of its classes.
    """
    if (by is None) != (table is None) or (by and mapping is None):
        raise click.UsageError("--by, --table and --map go together")
    if mapping is not None:
        _photos(bundle, data, mapping, engine, (by, table), as_json)
        return
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


def _photos(
    bundle: str, data: str | None, mapping: str, engine: Engine, groups: tuple[str | None, str | None], as_json: bool
) -> None:
    from hangtag import data as datasets
    from hangtag import predict
    from hangtag.cli._progress import bars
    from hangtag.core.printable import printable
    from hangtag.evaluation.photos import evaluate_photos, parse_map, read_groups

    if data is None:
        raise click.UsageError("--map is about a folder of photos: name it with --data")
    chosen = parse_map(mapping)
    column, table = groups
    known = read_groups(table, column) if table and column else None
    recogniser = predict.load(bundle, engine=engine)
    with bars() as progress:
        dataset = datasets.find(data, size=recogniser.card.size, colour=recogniser.card.colour, progress=progress)
        found = evaluate_photos(recogniser, dataset, chosen, known, progress).to_dict()
    if as_json:
        click.echo(json.dumps(found, allow_nan=False))
        return
    for line in _lines(found):
        click.echo(printable(line))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """The numbers for people, a line each."""

    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    def accuracy(part: dict[str, Any]) -> str:
        if part["accuracy"] is None:
            return "no photos"
        low, high = part["accuracy_interval"]
        photos = f"{part['n']:,} photo{'s' * (part['n'] != 1)}"
        return f"{part['accuracy']:.1%} of {photos} right (95% interval {low:.1%} to {high:.1%})"

    yield f"photos of the model's classes   {accuracy(found)}"
    yield f"balanced over classes           {share(found['balanced_accuracy'])}"
    accepted = found["accepted"]
    yield f"accepted                        {share(accepted['coverage'])}, of which {accuracy(accepted)}"
    yield f"refused as none of these        {share(found['refused'])}"
    if found["ece"] is not None:
        yield f"calibration error (ECE)         {found['ece']:.3f}"
    strange = found["none_of_these"]
    if strange["n"]:
        yield (
            f"photos of none of the classes   {strange['n']:,}: {share(strange['refused'])} refused, "
            f"{share(strange['accepted'])} accepted"
        )
    yield ""
    for name, recall in found["recall"].items():
        if recall is not None:
            yield f"  {name:<28}  {share(recall):>6} recognised"
    for row in found["confusions"]:
        yield f"  {row['true']} predicted as {row['predicted']}: {row['n']:,}"
    for group, part in found["groups"].items():
        yield f"  {group:<28}  {accuracy(part)}"
    if found["unreadable"]:
        yield f"{len(found['unreadable']):,} could not be read: {'; '.join(found['unreadable'][:3])}"


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
