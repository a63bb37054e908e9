"""The ledger of claims: every command of every claim run in a process of its own, and a page of what came out.

What a command printed is kept in a file, so the same call goes on where it was stopped: finished commands are not run
again, and the one in the middle goes on itself, as each of them does.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hangtag.core import hardware
from hangtag.core.errors import HangtagError
from hangtag.core.files import owning, read_regular, write_file
from hangtag.core.paths import folder_name
from hangtag.export import bundle
from hangtag.study import claims
from hangtag.study.claims import Claim, Command, Results, Row
from hangtag.watch import clock

Tell = Callable[[str], None]
_NAMED = re.compile(r"\{([\w-]+)\}")
_SAVE_S = 60.0  # a command that is interrupted saves and stops


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A claim with what was measured, or why it could not be."""

    name: str
    claim: Claim
    rows: list[Row]
    remarks: list[str]
    confusions: list[dict[str, Any]]
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All entries, and what they were measured with."""

    entries: list[Entry]
    lines: dict[str, str]  # command's name -> as it is typed
    seconds: dict[str, float]  # command's name -> how long it took
    quick: bool
    only: tuple[str, ...]  # claims that were asked for; none named: all
    seed: int
    data: str | None
    machine: str
    versions: dict[str, Any]
    commits: dict[str, str | None]  # command's name -> the checkout it was run from
    cores: dict[str, int]  # command's name -> how many it had
    created: str

    @property
    def rows(self) -> list[Row]:
        """Every figure."""
        return [row for entry in self.entries for row in entry.rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "quick": self.quick,
            "only": list(self.only),
            "seed": self.seed,
            "data": self.data,
            "machine": self.machine,
            "versions": self.versions,
            "commits": self.commits,
            "cores": self.cores,
            "created": self.created,
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            "claims": [
                {
                    "name": entry.name,
                    "said": entry.claim.said,
                    "measured_on": entry.claim.measured_on,
                    "reading": entry.claim.reading,
                    "failed": entry.failed or None,
                    "rows": [
                        {
                            "figure": row.figure,
                            "claimed": row.claimed,
                            "ours": row.ours,
                            "unit": row.unit,
                            "wanted": row.wanted,
                            "n": row.n,
                            "sd": row.spread,
                            "ratio": row.ratio,
                            "reproduced": row.reproduced,
                            "beaten": row.beaten or None,
                            "command": self.lines[row.command],
                        }
                        for row in entry.rows
                    ],
                    "remarks": entry.remarks,
                    "confusions": entry.confusions,
                }
                for entry in self.entries
            ],
        }


def measure(
    work: Path,
    *,
    data: str | None = None,
    seed: int = 0,
    quick: bool = False,
    only: Sequence[str] = (),
    message: Tell = lambda text: None,
    output: Tell = lambda line: None,
) -> Ledger:
    """Run what the claims need and has not been run, and read the figures.

    Args:
        work: folder of the commands' results; the same folder goes on.
        data: as `hangtag train --data`.
        seed: of every command.
        quick: a try in minutes, with one epoch where the claim has ten: it reproduces nothing.
        only: names of claims; all by default.
        message: told before each command what it is and how long the rest takes.
        output: told each line a command prints while it works.

    Raises:
        HangtagError: `usage_unknown_claim`; `run_busy` if another process works in that folder; `training_failed` if
            nothing could be measured. A command that fails takes its claims with it, and the rest go on.
    """
    names = list(only) or claims.register.names()
    chosen = {name: claims.register.get(name) for name in names}
    commands = {command.name: command for claim in chosen.values() for command in claim.commands}
    parts = ["quick" if quick else "whole", *([f"seed-{seed}"] if seed else []), *([folder_name(data)] if data else [])]
    folder = work / "-".join(parts)
    with owning(
        folder, "run_busy", f"another process measures claims in {folder}: wait for it, or choose another --work"
    ):
        desk = _Desk(folder, data=data, seed=seed, quick=quick, output=output)
        plan = [command for command in commands.values() if desk.kept(command) is None]
        left = sum(desk.expected(command) for command in plan)
        pace, expected_so_far, spent = 1.0, 0.0, 0.0
        for i, command in enumerate(plan):
            message(f"{i + 1} of {len(plan)}, about {clock(left * pace)} left: {desk.line(command)}")
            began = time.perf_counter()
            with contextlib.suppress(HangtagError):  # it is told where the claim is read
                desk.run(command)
            spent += time.perf_counter() - began
            expected_so_far += desk.expected(command)
            left -= desk.expected(command)
            if expected_so_far > 30:  # this machine against the one the expectations are from
                pace = spent / expected_so_far
        records = desk.records(commands.values())
        entries = [_entry(name, claim, desk) for name, claim in chosen.items()]
        if entries and all(entry.failed for entry in entries):
            raise HangtagError("training_failed", f"nothing could be measured: {entries[0].failed}")
        return Ledger(
            entries=entries,
            lines={command.name: desk.line(command) for command in commands.values()},
            seconds={name: record["seconds"] for name, record in records.items()},
            commits={name: record["commit"] for name, record in records.items()},
            cores={name: record["cores"] for name, record in records.items()},
            quick=quick,
            only=tuple(only),
            seed=seed,
            data=data,
            machine=hardware.cpu_name(),
            versions=bundle.versions(),
            created=bundle.now(),
        )


class _Desk:
    """Commands on their way: what each is called with, and what it printed."""

    def __init__(self, folder: Path, *, data: str | None, seed: int, quick: bool, output: Tell) -> None:
        self.folder, self.data, self.seed, self.quick, self.output = folder, data, seed, quick, output
        self.failures: dict[str, str] = {}
        self._partly: dict[str, dict[str, Any]] = {}  # records of commands some of whose runs failed: not kept

    def words(self, command: Command) -> list[str]:
        """All that stands behind `hangtag`."""
        words = command.quick if self.quick and command.quick else command.words
        words = tuple(_NAMED.sub(self._named, word) for word in words)
        return [
            *words,
            *(["--out", (self.folder / command.name).as_posix(), "--seed", str(self.seed)] if command.keeps else []),
            *(["--data", self.data] if self.data else []),
            "--json",
        ]

    def _named(self, match: re.Match[str]) -> str:
        return str(self.seed) if match[1] == "seed" else (self.folder / match[1]).as_posix()

    def line(self, command: Command) -> str:
        return shlex.join(["hangtag", *self.words(command)])

    def expected(self, command: Command) -> float:
        return command.quick_seconds if self.quick else command.seconds

    def _kept_at(self, command: Command) -> Path:
        return self.folder / f"{command.name}.printed.json"

    def _record(self, command: Command) -> dict[str, Any] | None:
        path = self._kept_at(command)
        if command.name in self._partly:
            return self._partly[command.name]
        try:
            record = json.loads(read_regular(path))
            same = record["words"] == self.words(command) and {"seconds", "commit", "cores", "printed"} <= record.keys()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HangtagError("run_damaged", f"{path} cannot be read ({error}): delete it, run again") from error
        return record if same else None

    def kept(self, command: Command) -> dict[str, Any] | None:
        """What the command printed when it was run; None if it was not, or with other words."""
        record = self._record(command)
        return None if record is None else record["printed"]

    def records(self, commands: Iterable[Command]) -> dict[str, dict[str, Any]]:
        """What is known of each finished command."""
        found = {command.name: self._record(command) for command in commands}
        return {name: record for name, record in found.items() if record is not None}

    def run(self, command: Command) -> None:
        """Run a command to its end and keep what it printed, unless a part of it failed: that is tried again next time.

        Raises:
            HangtagError: the command's own.
        """
        spent = self.folder / f"{command.name}.spent.json"
        before, began = _seconds(spent) if command.keeps else 0.0, time.perf_counter()
        try:
            printed = self._answer(command)
        except BaseException as error:  # the time is not lost: the same call goes on from here
            write_file(spent, json.dumps(before + time.perf_counter() - began).encode())
            if isinstance(error, HangtagError):
                self.failures[command.name] = f"{self.line(command)}: {error.message}"
            raise
        record = {
            "words": self.words(command),
            "seconds": before + time.perf_counter() - began,
            "commit": bundle.commit(),
            "cores": hardware.cores(),
            "printed": printed,
        }
        if _failed_in_part(printed):
            self._partly[command.name] = record
            write_file(spent, json.dumps(record["seconds"]).encode())
            return
        write_file(self._kept_at(command), json.dumps(record, indent=1).encode())
        spent.unlink(missing_ok=True)

    def _answer(self, command: Command) -> dict[str, Any]:
        until = time.perf_counter() + _SAVE_S
        while True:
            try:
                return run_hangtag(self.words(command), self.output)
            except HangtagError as error:  # one that a killed call left behind stops by and by
                if error.code != "run_busy" or time.perf_counter() > until:
                    raise
                time.sleep(1)


def _seconds(path: Path) -> float:
    """What earlier calls spent on a command that has not come to its end."""
    try:
        return float(json.loads(read_regular(path)))
    except (OSError, ValueError, TypeError):
        return 0.0


def _failed_in_part(printed: dict[str, Any]) -> bool:
    """Whether a study that came to its end marks a run or stage of it as failed."""
    rows = printed.get("rows")
    runs = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    stages = [stage for stage in printed.values() if isinstance(stage, dict)]
    return any(row.get("failed") for row in runs) or any("error" in stage for stage in stages)


def run_hangtag(words: Sequence[str], output: Tell) -> dict[str, Any]:
    """`hangtag WORDS` in a process of its own: the JSON it prints.

    Raises:
        HangtagError: the command's own; `training_failed` if it ended without a word.
        KeyboardInterrupt: passed on after the command has saved.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:  # a pipe nobody reads yet would hold up a long one
        process = subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "hangtag.cli._attended",
                *words,
            ],  # -P: no module of the current folder is ours
            stdin=subprocess.PIPE,  # when it ends, the command is interrupted: even where we are killed
            stdout=answer,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C reaches us alone, and is passed on once
        )
        with process, _ended(process):
            assert process.stderr is not None
            for line in process.stderr:
                output(line.rstrip())
        answer.seek(0)
        printed = answer.read()
    try:
        result: dict[str, Any] = json.loads(printed)
    except ValueError as error:
        raise HangtagError("training_failed", f"it ended with status {process.returncode}") from error
    if process.returncode:
        told = result.get("error", {})
        raise HangtagError(told.get("code", "training_failed"), told.get("message", "it failed"))
    return result


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """However this ends, the process does not outlive it; it may save first."""
    try:
        yield
    except BaseException:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_SAVE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:  # at once, if Ctrl-C is pressed again
            process.kill()
        raise


def _entry(name: str, claim: Claim, desk: _Desk) -> Entry:
    """A claim read off what its commands printed."""
    broken = [desk.failures[command.name] for command in claim.commands if command.name in desk.failures]
    if broken:
        return Entry(name=name, claim=claim, rows=[], remarks=[], confusions=[], failed=broken[0])
    results: Results = {command.name: desk.kept(command) or {} for command in claim.commands}
    shown = [{"of": command, **_confusion(results[command])} for command in claim.confusions]
    try:
        rows, remarks = claim.rows(results), claim.remarks(results)
    except HangtagError as error:  # of several runs in one command, the one that this claim is read from failed
        return Entry(name=name, claim=claim, rows=[], remarks=[], confusions=[], failed=error.message)
    return Entry(name=name, claim=claim, rows=rows, remarks=remarks, confusions=shown)


def _confusion(evaluated: dict[str, Any]) -> dict[str, Any]:
    return {
        "labels": [row["label"] for row in evaluated["per_class"]],
        "matrix": evaluated["confusion"],
        "accuracy": evaluated["accuracy"],
        "loss": evaluated["loss"],
    }
