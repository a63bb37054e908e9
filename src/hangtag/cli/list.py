"""`hangtag list`: everything that has a name."""

from __future__ import annotations

import json
from typing import Any

import click

_PLACES = {
    "models": "models",
    "algorithms": "classical",
    "recipes": "recipes",
    "data": "data.sets",
    "augmentations": "augment",
    "optimisers": "training.optimisers",
    "schedules": "training.schedules",
    "averages": "training.averages",
    "metrics": "metrics",
    "checks": "checks",
    "claims": "study.claims",
    "spaces": "study.spaces",
}
_WHAT = (*_PLACES, "weights")


@click.command(epilog="Example: hangtag list recipes")
@click.argument("what", required=False, metavar="[WHAT]", type=click.Choice(_WHAT))
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(what: str | None, as_json: bool) -> None:
    """What there is, everything or one WHAT: models, algorithms, recipes, data, augmentations, optimisers, schedules,
    averages, metrics, checks, claims, spaces, weights.
    """
    listing = {kind: _entries(kind) for kind in ([what] if what else _WHAT)}
    if as_json:
        click.echo(json.dumps(listing))
        return
    from rich.console import Console
    from rich.text import Text

    from hangtag.cli._layout import show_rows
    from hangtag.core.printable import printable

    console = Console(highlight=False)
    for kind, entries in listing.items():
        console.print(kind, style="bold")
        show_rows(
            console,
            [(Text(f"  {printable(entry['name'])}", "cyan"), Text(printable(entry["about"]))) for entry in entries],
        )
        console.print()


def _entries(kind: str) -> list[dict[str, Any]]:
    if kind == "weights":
        from hangtag.core import card as cards
        from hangtag.core.errors import HangtagError
        from hangtag.core.paths import bundle_names

        found = []
        for name, folder in sorted(bundle_names().items()):
            try:
                card = cards.read(folder)
            except HangtagError as error:
                found.append({"name": name, "about": f"unusable: {error.message}"})
                continue
            classes = f"{len(card.class_names)} classes, {card.size}x{card.size} {'colour' if card.colour else 'grey'}"
            if card.members:
                classes = f"{len(card.class_names)} classes, members {' and '.join(card.members)}"
            found.append({"name": name, "about": f"{card.name}, {classes}, in {folder}"})
        return found
    import importlib

    registry = importlib.import_module(f"hangtag.{_PLACES[kind]}").register
    return [
        {"name": name.replace("_", "-") if kind == "data" else name, "about": registry.summary(name)}
        for name in registry.names()
    ]
