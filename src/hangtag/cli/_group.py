"""Groups of commands: a whole line for each, the nearest name for one there is not, and help under `python -OO`."""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
from pathlib import Path

import click

from hangtag.cli._commands import ALIASES, GROUPS
from hangtag.core.registry import nearest


class Lines(click.Group):
    """A group whose help shows the first sentence of each command whole, however narrow the terminal is."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A line for each command."""
        listed = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        lines = [(name, _first_line(one)) for name, one in listed.items() if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, or the name that comes near."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            hint = nearest(args[0], known)
            if not hint.startswith(" Did"):
                hint = nearest(args[0], [name for name in known if name not in ALIASES])
            ctx.fail(f"no command is called {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


class Verbs(Lines):
    """Commands found by their file's name, imported one at a time; other words for them are hidden."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, the hidden ones too: what completes words leaves those out."""
        files = Path(__file__).parent.glob("[!_]*.py")
        return sorted([*(path.stem for path in files), *ALIASES])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command called `name`."""
        if name not in self.list_commands(ctx):
            return None
        own = ALIASES.get(name, name)
        command: click.Command = importlib.import_module(f"hangtag.cli.{own}").command
        for one in [command, *getattr(command, "commands", {}).values()]:
            one.help = one.help or _written_help(one)
        if own != name:
            command = copy.copy(command)
            command.hidden = True
            command.epilog = (command.epilog or "").replace(f"hangtag {own}", f"hangtag {name}")
        command.name = name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each group; no command is imported for it."""
        for group, lines in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl(list(lines.items()))


def _first_line(command: click.Command) -> str:
    """The first paragraph of its help, as one line."""
    return " ".join((command.short_help or command.help or "").partition("\n\n")[0].split())


def _written_help(command: click.Command) -> str:
    """What stands in the source: `python -OO` leaves docstrings out of what it compiles."""
    called = inspect.unwrap(command.callback) if command.callback else None
    if called is None or called.__code__.co_filename.endswith(".pyc"):
        return ""
    path = Path(called.__code__.co_filename)
    if not path.is_file():
        return ""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == called.__name__:
            return inspect.cleandoc(ast.get_docstring(node) or "")
    return ""
