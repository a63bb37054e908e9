"""`hangtag recognise`: labels for pictures, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hangtag.cli._engine import ENGINE
from hangtag.cli._layout import is_lively
from hangtag.core.decision import STATUSES, WORDS
from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text, harmless, one_line, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from hangtag.predict import Engine
    from hangtag.predict.folder import Found
    from hangtag.predict.recogniser import Recognition

NONE_RECOGNISED = 3
_STDIN = "-"
_MANY = 50  # pictures from which a progress bar is worth its lines
_BAR = 8  # cells of the confidence bar
_COLOURS = {"accept": "green", "unsure": "yellow", "none_of_these": "magenta"}


@click.command(epilog="Example: hangtag recognise shirt.jpg photos/ --csv > labels.csv")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=str), metavar="PATH...")
@click.option("-m", "--model", default="default", show_default=True, help="Name or folder of a bundle.")
@ENGINE
@click.option("--top", default=3, show_default=True, type=click.IntRange(min=1), help="Classes to name per picture.")
@click.option(
    "--accept-at", type=float, metavar="SHARE", help="Accept where so many held-out images were right: 0.98, say."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
def command(
    paths: tuple[str, ...],
    model: str,
    engine: Engine,
    top: int,
    accept_at: float | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Recognise fashion products in pictures (JPEG, PNG, WebP, AVIF) and in folders of them; - is standard input."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")

    from hangtag.preprocess import decoder

    decoder.shared().start()  # it gets ready while the model is loaded

    from hangtag import predict
    from hangtag.predict.folder import find_pictures
    from hangtag.preprocess.photo import address_of

    recogniser = predict.load(model, engine=engine)
    if accept_at is not None:
        recogniser = recogniser.accepting(accept_at)
    found = find_pictures(path if path in ("", _STDIN) or address_of(path) else Path(path) for path in paths)
    content = _standard_input() if _STDIN in found.paths else b""
    top = min(top, len(recogniser.class_names))
    sources = (content if path == _STDIN else path for path in found.paths)
    results = _counted(_named(recogniser.stream(sources, top), found), tally := Counter[str]())
    if as_json:
        _print_json(_watched(results, len(found.paths)), recogniser.card.standing())
    elif as_csv:
        _print_csv(_watched(results, len(found.paths)), top)
    else:
        _print_table(results, found.paths, recogniser.class_names)
    click.secho(_summary(tally, found), err=True, dim=True)
    if text := recogniser.card.unfinished_text():
        click.secho(printable(f"the model is {text}"), err=True, fg="yellow")
    if not any(tally[status] for status in STATUSES):
        raise click.exceptions.Exit(NONE_RECOGNISED)


def _standard_input() -> bytes:
    """All of it, or a byte more than is accepted."""
    from hangtag.preprocess.decode import MAX_BYTES

    if sys.stdin is None or sys.stdin.closed:
        raise HangtagError("usage", "- reads standard input, which is closed: hangtag recognise - < shirt.jpg")
    if sys.stdin.isatty():
        raise HangtagError("usage", "- reads standard input, which is the terminal: hangtag recognise - < shirt.jpg")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _named(results: Iterator[Recognition], found: Found) -> Iterator[Recognition]:
    """Pass results through; what came through standard input is called by its path, `-`."""
    for result, path in zip(results, found.paths, strict=True):
        yield dataclasses.replace(result, path=_STDIN) if path == _STDIN else result


def _counted(results: Iterator[Recognition], tally: Counter[str]) -> Iterator[Recognition]:
    """Pass results through, counting each status, and as "error" what has none."""
    for result in results:
        tally[result.status or "error"] += 1
        yield result


def _watched(results: Iterator[Recognition], total: int, console: Console | None = None) -> Iterator[Recognition]:
    """Pass results through under a progress bar, on standard error by default; none where nobody watches."""
    if total < _MANY:
        yield from results
        return
    from rich.console import Console

    console = console or Console(stderr=True)
    if not is_lively(console):
        yield from results
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("recognising"), BarColumn(), MofNCompleteColumn(), TextColumn("·"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(results, total=total)


def _summary(tally: Counter[str], found: Found) -> str:
    parts = [f"{sum(tally[status] for status in STATUSES):,} recognised"]
    if tally["unsure"] or tally["none_of_these"]:
        counts = [f"{tally[status]:,} {words}" for status, words in WORDS.items() if tally[status]]
        parts[0] += f": {', '.join(counts)}"
    if tally["error"]:
        parts.append(f"{tally['error']:,} could not be")
    if found.others:
        parts.append(f"{found.others:,} other {'file' if found.others == 1 else 'files'} skipped")
    if found.links:
        parts.append(f"{found.links:,} {'link' if found.links == 1 else 'links'} skipped")
    parts += [f"may not look into {printable(path)}" for path in found.unreadable]
    return " · ".join(parts)


def _print_json(results: Iterator[Recognition], standing: dict[str, Any]) -> None:
    """One list, printed when complete: whoever reads it gets all or nothing. ASCII, whatever the terminal speaks."""
    lines = [json.dumps({**result.to_dict(), "path": as_text(result.path), **standing}) for result in results]
    click.echo("[" + ",".join(f"\n {line}" for line in lines) + "\n]" if lines else "[]")


def _print_csv(results: Iterator[Recognition], top: int) -> None:
    """RFC 4180 in UTF-8; no cell is a formula to a spreadsheet."""
    stream = sys.stdout.buffer
    names = [f"{name}_{rank}" for rank in range(2, top + 1) for name in ("label", "confidence")]

    def write(row: list[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow([harmless(one_line(cell)) for cell in row])
        stream.write(line.getvalue().encode())

    write(["path", "label", "confidence", *names, "error", "status", "why", "member", "known"])
    for result in results:
        cells = [cell for label, confidence in result.top for cell in (as_text(label), f"{confidence:.6f}")]
        cells += [""] * (2 * top - len(cells))
        error = f"{result.error.code}: {result.error.message}" if result.error else ""
        known = "" if result.known is None else f"{result.known:.6f}"
        write([as_text(result.path), *cells, error, result.status or "", result.why, result.member or "", known])
    stream.flush()


def _print_table(results: Iterator[Recognition], paths: list[Path | str], class_names: tuple[str, ...]) -> None:
    """A row as soon as its picture is recognised; broken pictures say why in theirs."""
    from rich.console import Console
    from rich.text import Text

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no "━"

    class Screen(Console):
        def on_broken_pipe(self) -> None:  # rich would exit with 1; `recognise ... | head` is no failure
            raise BrokenPipeError

    console = Screen(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 160
    widths = _widths(console.width, [len(printable(path)) for path in paths], [len(name) for name in class_names])

    def row(picture: str, label: Text, confidence: Text, status: Text, others: Text) -> None:
        cells = [_shortened(picture, widths[0]), label, confidence, status, *([others] if widths[4] else [])]
        for cell, width in zip(cells, widths, strict=False):
            cell.truncate(width, overflow="ellipsis", pad=cell is not others)
        console.print(Text("  ").join(cells), no_wrap=True)

    if paths:
        row("picture", Text("label", "bold"), Text("confidence"), Text("status"), Text("runners-up"))
        console.print(Text("─" * min(console.width, sum(widths) + 2 * len(widths) - 2), style="dim"))
    for result in _watched(results, len(paths), console if console.is_terminal else None):
        if result.error is not None:
            reason = Text(f"✗ {printable(result.error.message)}", style="red")
            start = _shortened(printable(result.path), widths[0], pad=True)
            for line in reason.wrap(console, max(20, console.width - widths[0] - 2)):
                console.print(Text("  ").join([start, line]))
                start = Text(" " * widths[0])
            continue
        filled = round(result.confidence * _BAR)
        colour = _COLOURS[result.status or "accept"]
        bar = Text.assemble(("━" * filled, colour), ("─" * (_BAR - filled), "bright_black"))
        bar.append(f" {result.confidence:6.1%}")
        others = Text("  ".join(f"{printable(name)} {share:.1%}" for name, share in result.top[1:]), style="dim")
        status = Text(WORDS[result.status or "accept"], colour)
        row(printable(result.path), Text(printable(str(result.label)), "bold"), bar, status, others)


def _widths(total: int, pictures: list[int], labels: list[int]) -> tuple[int, int, int, int, int]:
    """Cells for picture, label, confidence, status and runners-up, which get what the others leave, or 0 of it."""
    label, status = min(max(5, *labels), 24), max(map(len, WORDS.values()))
    picture = min(max([7, *pictures]), max(12, total - label - _BAR - 46 - status - 2), 60)
    left = total - picture - label - _BAR - 7 - status - 8
    return picture, label, _BAR + 7, status, left if left >= 12 else 0


def _shortened(name: str, width: int, pad: bool = False) -> Text:
    """The end of a path tells more than its beginning."""
    from rich.cells import cell_len
    from rich.text import Text

    if cell_len(name) > width:
        while cell_len(name) > width - 1:
            name = name[1:]
        name = "…" + name
    return Text(name + " " * (width - cell_len(name)) if pad else name)
