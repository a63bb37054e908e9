"""`hangtag claims`: what published projects claim, run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hangtag.study.ledger import Ledger


@click.command(epilog="Example: hangtag claims --quick")
@click.option("--quick", is_flag=True, help="A try in minutes, of one epoch each: it reproduces nothing.")
@click.option("--only", metavar="NAME,...", help="Some of the claims only: see `hangtag list claims`.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Start of all randomness.")
@click.option("--data", metavar="DATA", help="A folder, a set's name (drawn, mnist), or NAME=PATH.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for claims.md and claims.json.  [default: --work; docs in Hangtag's own sources]",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default="runs/claims",
    show_default=True,
    help="Folder for runs; the same folder goes on.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(
    quick: bool, only: str | None, seed: int, data: str | None, out: Path | None, work: Path, as_json: bool
) -> None:
    """Run again what published projects claim of Fashion-MNIST, and write a ledger: claimed, ours, ratio, command.

    Two and three quarter hours on two cores; `--quick` takes minutes. Ctrl-C stops it, the same command goes on from
    there.
    """
    from hangtag.core.errors import HangtagError
    from hangtag.core.files import check_ours, write_file
    from hangtag.core.optional import checkout
    from hangtag.core.printable import printable
    from hangtag.study import ledger
    from hangtag.study.claims_page import HEADING, markdown

    def message(text: str) -> None:
        click.secho(printable(text), err=True, bold=True)

    def output(line: str) -> None:
        click.secho(f"  {printable(line)}", err=True, dim=True)

    at_home = not quick and checkout() == Path.cwd().resolve()  # a try does not replace what was measured
    out = out or (Path("docs") if at_home else work)
    for name, mark in (("claims.md", HEADING), ("claims.json", '"quick"')):  # looked for now, not after hours
        check_ours(out / name, mark.encode(), "name another folder with --out")
    names = [name for name in (only or "").split(",") if name]
    found = ledger.measure(work, data=data, seed=seed, quick=quick, only=names, message=message, output=output)
    write_file(out / "claims.json", (json.dumps(found.to_dict(), indent=1, allow_nan=False) + "\n").encode())
    write_file(out / "claims.md", markdown(found).encode())
    if as_json:
        click.echo(json.dumps({"out": str(out), **found.to_dict()}, allow_nan=False))
    else:
        _show(found)
        click.echo(f"{printable(out / 'claims.md')} and claims.json: every figure with its command")
    if any(entry.failed for entry in found.entries):  # the others are written all the same
        raise click.exceptions.Exit(HangtagError("training_failed", "").exit_status)


def _show(found: Ledger) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hangtag.core.printable import printable
    from hangtag.study.claims_page import figures

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in ("", "figure", "claimed", "ours", "better in no more time"):
        table.add_column(head, justify="right" if head in ("claimed", "ours") else "left")
    for entry in found.entries:
        table.add_row("", Text(entry.name, "bold"))
        if entry.failed:
            table.add_row(Text("–", "yellow"), Text(printable(entry.failed), "yellow"))
        for row in entry.rows:
            figure, claimed, ours, *_, beaten = figures(row)
            mark = Text("✓", "green") if row.reproduced else Text("✗", "bold red")
            table.add_row(mark, figure, claimed, ours, Text(beaten.replace("`", ""), "dim"))
    Console(highlight=False).print(table)
