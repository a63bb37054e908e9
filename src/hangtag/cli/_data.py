"""Where the data lies, as options of every command that opens some: `--data` and `--follow-links`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
DATA = "A folder, a set's name (drawn, mnist), or NAME=PATH."
_FOLLOW = "hangtag.follow_links"


def data_option(text: str = DATA, metavar: str = "DATA") -> Callable[[Command], Command]:
    """`--data`, given to the command as `data`; with `--follow-links` beside it, as `linked-folder=DATA`.

    Args:
        text: the help of `--data`.
        metavar: what stands for its value there.
    """

    def follow(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.meta[_FOLLOW] = value

    def given(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if not context.meta.get(_FOLLOW):
            return value
        from hangtag.data.sets import LINKED

        if value is None:
            raise click.UsageError("--follow-links is about a folder: name it with --data", context)
        return value if value.startswith(LINKED) else f"{LINKED}{value.removeprefix('image-folder=')}"

    def decorate(command: Command) -> Command:
        options = (
            click.option("--data", metavar=metavar, callback=given, help=text),
            click.option(
                "--follow-links",
                is_flag=True,
                is_eager=True,  # before --data, in whichever order they are written
                expose_value=False,
                callback=follow,
                help="Follow links that lead out of a folder of images.",
            ),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
