"""The command line: one thin file per verb. A verb's file parses, calls and prints; heavy imports wait inside it."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from hangtag.cli._colour import colour
from hangtag.cli._group import Verbs as _Verbs
from hangtag.core.errors import INTERRUPTED, HangtagError
from hangtag.core.optional import importing
from hangtag.core.printable import printable
from hangtag.predict import deadline

_OF_FILES = {
    getattr(errno, name)
    for name in ("EIO", "ENAMETOOLONG", "ENOTDIR", "EISDIR", "ELOOP", "ENOENT", "ENXIO", "ENODEV", "EBADF", "EFBIG",
                 "EBUSY", "ETXTBSY", "EEXIST", "ESTALE", "ENOTEMPTY")
    if hasattr(errno, name)
}  # fmt: skip


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Recognise fashion products in photos: get data, train, evaluate, recognise.",
    epilog="\b\nStart with: hangtag demo\nCommands have help of their own: hangtag train --help",
)
@click.version_option(package_name="hangtag", message="hangtag %(version)s")
def verbs() -> None:
    """The command `hangtag`; its help is above, where `python -OO` leaves it."""


def main() -> None:
    """Entry point. Every failure ends as one line on standard error and a documented exit status (docs/errors.md)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe on Windows may lack the characters of our bars
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's stop is as good as Ctrl-C
    status = _run(sys.argv[1:])
    if deadline.stuck():  # a thread that nothing ends would keep the process alive, or crash it as it ends
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        # With standalone_mode off, click returns the number of an Exit instead of raising it.
        with importing():
            status = verbs.main(args=arguments, prog_name="hangtag", standalone_mode=False, color=colour())
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except HangtagError as error:
        return _fail(error, as_json)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as wanted:  # `hangtag`, `hangtag data`: its message is the whole help
        click.echo(wanted.format_message())
        return 0
    except click.UsageError as error:
        where = f" (see: {error.ctx.command_path} --help)" if error.ctx else ""
        return _fail(HangtagError("usage", error.format_message().replace("\n", " ") + where), as_json)
    except (KeyboardInterrupt, click.Abort) as stopped:
        return _stop(str(stopped.__cause__ or stopped) or "stopped", as_json)  # click wraps Ctrl-C in an Abort
    except BrokenPipeError:  # the reader of our output has gone: nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as ended:  # rich's way of saying so
        if isinstance(ended.__context__, BrokenPipeError):
            return 0
        raise
    except MemoryError:
        return _fail(HangtagError("training_out_of_memory", "out of memory: try a smaller --set batch_size"), as_json)
    except OSError as error:
        known = _storage_error(error)
        return _fail(known, as_json) if known else _unexpected(error, as_json)
    except Exception as error:
        return _unexpected(error, as_json)


def _storage_error(error: OSError) -> HangtagError | None:
    """What a file system or a full disk behind standard output says, as one line; None for any other failure."""
    where = f" ({printable(os.fsdecode(error.filename))})" if isinstance(error.filename, str | bytes) else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HangtagError("storage_full", f"no space left on the disk{where}: free some space, try again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return HangtagError("storage_read_only", f"not allowed here: {error.strerror}{where}")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return HangtagError("storage_failed", f"too many open files{where}: close some programs, or raise `ulimit -n`")
    if error.errno in _OF_FILES:
        return HangtagError("storage_failed", f"a file cannot be read or written: {error.strerror}{where}")
    return None


def _fail(error: HangtagError, as_json: bool) -> int:
    if as_json:
        _answer({"error": error.to_dict()})
    with contextlib.suppress(OSError):  # standard error on a full disk: the exit status says it all the same
        click.secho(f"error: {printable(error.message)}", fg="red", err=True, color=colour())
    _give_up_unwritten()
    return error.exit_status


def _give_up_unwritten() -> None:
    """What a stream cannot write Python would try once more as it ends, complain, and change the exit status."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stop(message: str, as_json: bool) -> int:
    if as_json:
        _answer({"error": {"code": "interrupted", "message": message}})
    click.secho(message, fg="yellow", err=True, color=colour())
    return INTERRUPTED


def _answer(error: dict[str, Any]) -> None:
    """JSON on standard output, which may be what failed: a full disk, a reader that has gone."""
    with contextlib.suppress(OSError):
        click.echo(json.dumps(error))
    _give_up_unwritten()


def _unexpected(error: Exception, as_json: bool) -> int:
    if os.environ.get("HANGTAG_TRACEBACK"):
        raise error
    text = " ".join(str(error).split())
    cure = "a defect of ours; HANGTAG_TRACEBACK=1 shows where: please report it"
    message = f"unexpected {type(error).__name__}: {text} ({cure})"
    return _fail(HangtagError("internal_error", message), as_json)
