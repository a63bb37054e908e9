"""`hangtag data`: get the pictures, prove that they are the right ones, look at them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hangtag.cli._audit import audit
from hangtag.cli._data import DATA, data_option
from hangtag.cli._group import Lines
from hangtag.cli._layout import has_colours
from hangtag.cli._progress import bars
from hangtag.core.errors import HangtagError
from hangtag.core.files import open_regular
from hangtag.core.folder_summary import counted
from hangtag.core.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

    from hangtag.core.types import Dataset, Split

_MADE_BY = b"Software\0hangtag"  # in a PNG of ours
_SHOWN_LEFT_OUT = 100
_SHOWN_CLASSES = 20
_COLUMNS = 14  # half of 28 pixels: five pictures beside each other in 80 columns

_data = data_option(f"{DATA} [default: fashion-mnist]")
_json = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group(cls=Lines, epilog="Example: hangtag data verify")
def command() -> None:
    """Fetch, verify, show or audit the pictures that models learn from."""


@command.command(epilog="Example: hangtag data fetch")
@_data
@_json
def fetch(data: str | None, as_json: bool) -> None:
    """Make sure the data is here: find it or download it, and check it.

    Fashion-MNIST is looked for in --data, else HANGTAG_DATA, else the cache, which is filled from the mirrors.
    """
    from rich.console import Console

    with bars() as progress:
        dataset = _find(data, progress)
        splits = _splits(dataset)
    _tell(dataset)
    if as_json:
        click.echo(json.dumps(_facts(dataset, splits)))
        return
    training, test = splits["training"], splits["test"]
    line = f"[bold]{_safe(dataset.name)}[/]: {len(training):,} training and {len(test):,} test pictures"
    Console().print(line, f"in {_safe(dataset.origin)}", soft_wrap=True, highlight=False)


@command.command(epilog="Example: hangtag data verify --data ~/fashion-mnist --json")
@_data
@_json
def verify(data: str | None, as_json: bool) -> None:
    """Check every file: size, hashes, shape, and how often each class occurs. Exit status 4 if anything is wrong."""
    from rich.console import Console

    with bars() as progress:
        dataset = _find(data, progress)
        files, errors = _check_files(dataset)
        if not errors:
            splits = _splits(dataset)
    result: dict[str, Any] = {"ok": not errors, "files": files}
    if not errors:
        _tell(dataset)
        result |= _facts(dataset, splits)
    if as_json:
        click.echo(json.dumps(result))
    else:
        console = Console()
        if files:
            _print_files(console, files)
        if not errors:
            _print_counts(console, {name.capitalize(): split for name, split in splits.items()})
    if errors:
        click.secho(f"error: {printable(errors[0].message)}", fg="red", err=True)
        raise click.exceptions.Exit(errors[0].exit_status)
    said = "is as it should be" if files else "was read"  # of a folder of images nobody knows how it should be
    click.secho(printable(f"{dataset.name} {said} ({dataset.origin})"), fg="green", err=True)


@command.command(epilog="Example: hangtag data show --data drawn --out drawn.png")
@_data
@click.option(
    "--split",
    type=click.Choice(["training", "validation", "test"]),
    default="training",
    show_default=True,
    help="Which images to draw; training ones include those cut out of them for validation.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="data.png", show_default=True, help="The PNG."
)
@click.option("--size", default=28, show_default=True, help="Pixels a side, for folders of pictures and drawn.")
@click.option("--colour", is_flag=True, help="In colour, for folders of pictures and drawn.")
@_json
def show(data: str | None, split: str, out: Path, size: int, colour: bool, as_json: bool) -> None:
    """Draw a contact sheet: pictures of each class, and how many there are."""
    import io

    from click.core import ParameterSource
    from PIL.PngImagePlugin import PngInfo
    from rich.console import Console

    from hangtag.core.files import check_ours, check_output, write_file
    from hangtag.data.contact_sheet import contact_sheet

    if click.get_current_context().get_parameter_source("out") is ParameterSource.DEFAULT:
        check_ours(out, _MADE_BY, "name another file with --out")
    check_output(out)
    with bars() as progress:
        dataset = _find(data, progress, size, colour)
        pictures = _opened(dataset, split)
    _tell(dataset)
    file = io.BytesIO()
    made_by = PngInfo()
    made_by.add_text("Software", "hangtag")
    contact_sheet(pictures, f"{dataset.name}, {split}").save(file, "PNG", pnginfo=made_by)
    write_file(out, file.getvalue())
    if as_json:
        record = {"name": dataset.name, "origin": dataset.origin, "split": split, "n": len(pictures)}
        record |= {"counts": pictures.counts(), "skipped": list(pictures.skipped), "out": str(out)}
        record |= _reading(dataset)
        click.echo(json.dumps(record))
    else:
        _print_pictures(Console(), split, pictures)
    click.secho(f"contact sheet: {printable(out)}", err=True)


command.add_command(audit)


def _find(data: str | None, progress: Any, size: int = 28, colour: bool = False) -> Dataset:
    from hangtag.data import find

    return find(data, size=size, colour=colour, progress=progress)


def _splits(dataset: Dataset) -> dict[str, Split]:
    """All images; those of a validation folder apart, where there is one."""
    names = ("training", *(("validation",) if dataset.validation else ()), "test")
    return {name: _opened(dataset, name) for name in names}


def _opened(dataset: Dataset, split: str) -> Split:
    if split == "training":
        return dataset.training()
    if split == "test":
        return dataset.test()
    from hangtag.data.split import training_and_validation

    return training_and_validation(dataset)[1]


def _facts(dataset: Dataset, splits: dict[str, Split]) -> dict[str, Any]:
    halves = {
        name: {"n": len(split), "counts": split.counts(), "skipped": list(split.skipped)}
        for name, split in splits.items()
    }
    return {"name": dataset.name, "origin": dataset.origin, **halves, **_reading(dataset)}


def _reading(dataset: Dataset) -> dict[str, Any]:
    return {"reading": dataset.summary().to_dict()} if dataset.summary else {}


def _tell(dataset: Dataset) -> None:
    """How a folder was read: what was left out, each with its reason, and the line."""
    if dataset.summary is None:
        return
    summary = dataset.summary()
    if summary.left_out:
        click.secho(f"{counted(summary.left_out)} left out:", fg="yellow", err=True)
    for entry in summary.left_out[:_SHOWN_LEFT_OUT]:
        click.secho(f"  {printable(entry)}", fg="yellow", err=True)
    if len(summary.left_out) > _SHOWN_LEFT_OUT:
        rest = len(summary.left_out) - _SHOWN_LEFT_OUT
        click.secho(f"  and {rest:,} more: --json names them all", fg="yellow", err=True)
    click.secho(str(summary), fg="yellow" if summary.notes else None, err=True)


def _check_files(dataset: Dataset) -> tuple[list[dict[str, Any]], list[HangtagError]]:
    files: list[dict[str, Any]] = []
    errors: list[HangtagError] = []
    for path, read in dataset.files.items():
        entry: dict[str, Any] = {"path": str(path), "bytes": None, "sha256": None, "md5": None, "shape": None}
        entry["error"] = None
        try:
            entry["shape"] = list(read().shape)
        except HangtagError as error:
            if error.code == "data_offline":  # there is nothing here to verify
                raise
            errors.append(error)
            entry["error"] = error.to_dict()
        with contextlib.suppress(OSError), open_regular(path) as file:  # what cannot be read has its error above
            entry["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            entry["md5"] = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
            entry["bytes"] = file.tell()
        files.append(entry)
    return files, errors


def _print_files(console: Console, files: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", width=1)
    table.add_column("File", no_wrap=True)
    table.add_column("Bytes", justify="right")
    table.add_column("SHA-256")
    table.add_column("MD5")
    table.add_column("Holds")
    for file in files:
        wrong = file["error"]
        table.add_row(
            "[red]✗[/]" if wrong else "[green]✓[/]",
            _safe(Path(file["path"]).name),
            "" if file["bytes"] is None else f"{file['bytes']:,}",
            "" if file["sha256"] is None else f"{file['sha256'][:8]}…",
            "" if file["md5"] is None else f"{file['md5'][:8]}…",
            f"[red]{wrong['code']}[/]" if wrong else "×".join(f"{n:,}" for n in file["shape"]),
        )
    console.print(table)


def _print_counts(console: Console, splits: dict[str, Split]) -> None:
    from rich import box
    from rich.table import Table

    from hangtag.data.contact_sheet import bar

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column("Class", footer="all")
    for title, split in splits.items():
        table.add_column(title, justify="right", footer=f"{len(split):,}")
    table.add_column("", style="cyan")
    counts = [split.counts() for split in splits.values()]
    most = max(counts[0].values())
    for name, count in counts[0].items():
        table.add_row(_safe(name), *(f"{each[name]:,}" for each in counts), bar(count / most, 24))
    console.print(table)


def _print_pictures(console: Console, split: str, pictures: Split) -> None:
    from rich.columns import Columns
    from rich.text import Text

    from hangtag.data.contact_sheet import examples, half_blocks

    if has_colours(console) and console.color_system in ("256", "truecolor"):  # shades of grey are all there is to see
        cells = []
        for label, class_name in enumerate(pictures.class_names[:_SHOWN_CLASSES]):
            if len(chosen := examples(pictures, label, 1)):
                title = Text(f"{printable(class_name)[:_COLUMNS]}\n", style="bold")
                cells.append(title + half_blocks(pictures.images[chosen[0]], _COLUMNS))
        console.print(Columns(cells, padding=(0, 2)))
    _print_counts(console, {split.capitalize(): pictures})


def _safe(text: str) -> str:
    """For rich: no markup, nothing a terminal would obey."""
    from rich.markup import escape

    return escape(printable(text))
