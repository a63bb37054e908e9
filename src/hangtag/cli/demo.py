"""`hangtag demo`: the whole path in one go."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hangtag.cli._data import data_option
from hangtag.core.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.core.types import Split
    from hangtag.predict.recogniser import Recognition

_COLUMNS = 14  # of one picture in the terminal: five stand side by side in 80 columns
_ACROSS = 5


@click.command(epilog="Example: hangtag demo")
@data_option("A folder, a set's name, or NAME=PATH.  [default: fashion-mnist]")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Where to work."
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(data: str | None, out: Path, as_json: bool) -> None:
    """Find or fetch the data, train a quick network, judge it, and recognise pictures with it.

    Where Fashion-MNIST cannot be reached, the same is done on drawn garments.
    """
    from rich.console import Console
    from rich.markup import escape

    from hangtag import data as datasets
    from hangtag import evaluation, experiment, predict, recipes
    from hangtag.cli._progress import bars
    from hangtag.cli._training import show_result, watched
    from hangtag.core.clock import process_age_s
    from hangtag.core.errors import HangtagError
    from hangtag.core.optional import require
    from hangtag.core.paths import bundle_names
    from hangtag.core.recipe import NetworkRecipe

    require("torch", extra="train")  # told before anything is downloaded
    console = Console(stderr=as_json, highlight=False)
    recipe = recipes.create("seconds")
    assert isinstance(recipe, NetworkRecipe)
    _heading(console, 1, "Data")
    drawn = False
    with bars() as progress:
        try:
            dataset = datasets.find(data, name=recipe.data, progress=progress)
            training, test = dataset.training(), dataset.test()
        except HangtagError as error:
            if data is not None or error.code != "data_offline":  # a place the user named is never replaced
                raise
            console.print(
                "[yellow]Fashion-MNIST cannot be reached from here; this is done on drawn garments instead.[/]"
            )
            console.print("To have the real pictures: [cyan]hangtag data fetch[/], or see [cyan]hangtag data --help[/]")
            data, drawn = "drawn", True
            dataset = datasets.find(data, progress=progress)
            training, test = dataset.training(), dataset.test()
    name = escape(printable(dataset.name))
    counts = f"[bold]{name}[/]: {len(training):,} pictures to learn from, {len(test):,} to be judged on"
    console.print(f"{counts}, {len(training.class_names)} classes")

    _heading(console, 2, "Training")
    with watched(f"a small network, {recipe.epochs} times through the pictures") as watch:
        run = experiment.run(recipe, data=data, out=out / dataset.name, watch=watch, clock=process_age_s)
    assert run.bundle is not None
    show_result(run, recipe.name, console, data)

    _heading(console, 3, "Judging, on pictures it has never seen")
    recogniser = predict.load(run.bundle)
    with bars() as progress:
        evaluation_ = evaluation.judge(recogniser, test, progress, name=recipe.name, data=f"{dataset.name}, test split")
    console.print(evaluation_)

    shipped = "default" in bundle_names()
    _heading(console, 4, "Recognising" + (", with the model that ships with Hangtag" if drawn and shipped else ""))
    chosen = _one_of_each(test)
    recognitions = list((predict.load("default") if drawn and shipped else recogniser).stream(chosen.images))
    _show_pictures(console, chosen, recognitions)

    _heading(console, 5, "What next")
    best = "default" if shipped and (data is None or drawn) else run.bundle
    _next(console, run.bundle, best, None if drawn else data, is_photos=_is_folder(dataset.name))
    if as_json:
        record = {
            "data": dataset.name,
            "train": dataclasses.asdict(run),
            "evaluate": evaluation_.to_dict(),
            "recognise": [recognition.to_dict() for recognition in recognitions],
            "seconds": round(process_age_s(), 2),
        }
        click.echo(json.dumps(record, allow_nan=False))
    else:
        console.print(f"[dim]All of it took {process_age_s():.0f} s.[/]")


def _is_folder(name: str) -> bool:
    """Whether the data are a folder of the user's: the other sets have names of their own."""
    from hangtag.data.sets import register

    return name.replace("-", "_") not in register.names()


def _heading(console: Console, number: int, text: str) -> None:
    console.print()
    console.print(f"[bold cyan]{number}[/]  [bold]{text}[/]")


def _one_of_each(split: Split) -> Split:
    import numpy as np

    return split.take(np.array([int(np.flatnonzero(split.labels == label)[0]) for label in np.unique(split.labels)]))


def _show_pictures(console: Console, split: Split, recognitions: list[Recognition]) -> None:
    from rich.columns import Columns
    from rich.table import Table
    from rich.text import Text

    from hangtag.cli._layout import has_colours
    from hangtag.data.contact_sheet import half_blocks

    tiles = []
    for image, label, recognition in zip(split.images, split.labels, recognitions, strict=True):
        truth = split.class_names[label]
        right = recognition.label == truth
        tile = Table.grid()
        tile.add_column(width=_COLUMNS)
        if has_colours(console):  # without them half blocks show nothing
            tile.add_row(half_blocks(image, _COLUMNS))
        mark = "✓" if right else "✗"
        tile.add_row(Text(f"{mark} {printable(recognition.label)}", "green" if right else "red"))
        tile.add_row(Text(f"  {recognition.confidence:.0%}", "dim"))
        if not right:
            tile.add_row(Text(f"  is {printable(truth)}", "dim"))
        tiles.append(tile)
    console.print(Columns(tiles, padding=(0, 1), equal=True))


def _next(console: Console, bundle: str, best: str, data: str | None, is_photos: bool) -> None:
    """What to type next; commands stay whole, what they are for stands beside or below them."""
    from rich.text import Text

    place = f" --data {shlex.quote(data)}" if data else ""
    model = shlex.quote(best)
    folder = shlex.quote(data) if is_photos and data else "my_photos/"
    photos = (f"hangtag train photos --data {folder}", f"the recipe for photos, in colour{_still_needed()}")
    others = (
        (f"hangtag recognise -m {model} photo.jpg", "your own photos, or folders of them"),
        (f"hangtag evaluate {model}{place if best == bundle else ''}", "how good that model is"),
        (f"hangtag train three_conv{place}", "another recipe; hangtag list recipes names them"),
        (f"ls {shlex.quote(bundle)}", "the trained model: card, weights, ONNX"),
    )
    lines = [photos, *others] if is_photos else [*others[:3], photos, *others[3:]]
    width = max(len(line) for line, _ in lines)
    beside = all(width + 2 + len(about) <= console.width for _, about in lines)
    for line, about in lines:
        command = Text(printable(line), "cyan")
        if beside:
            command.append(" " * (width + 2 - len(command))).append(about, "dim")
        console.print(command, soft_wrap=True)
        if not beside:
            console.print(Text(f"  {about}", "dim"))


def _still_needed() -> str:
    """What is to be installed for the recipe `photos`, if anything is."""
    import importlib.util

    from hangtag.core.optional import EXTRAS, install_command

    there = all(importlib.util.find_spec(module) for module in EXTRAS["imagenet"])
    return "" if there else f"; first {install_command('imagenet')}"
