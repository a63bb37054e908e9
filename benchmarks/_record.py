"""What every result says besides its numbers, and a child process measured from outside. Linux and macOS."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
WORK = ROOT / "runs" / "benchmarks"
HANGTAG = str(Path(sys.executable).with_name("hangtag"))
PACKAGES = ("hangtag", "numpy", "pillow", "onnxruntime", "onnx", "torch", "scikit-learn", "cleanlab")
QUIET = 0.5  # a load average above it at the start means that others are at work

console = Console(highlight=False)


@dataclass(frozen=True)
class Child:
    """A finished process: what it printed, and what it took. Memory in MB (10^6 bytes), of its largest process."""

    stdout: str
    wall_s: float
    cpu_s: float
    peak_rss_mb: float

    def json(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def run(
    command: Sequence[str | Path],
    *,
    on_line: Callable[[str], None] = lambda line: None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> Child:
    """Run `command` to its end; ends the benchmark with the child's last words if it fails.

    A child's `ru_maxrss` is never below what its parent held at its start: a benchmark imports nothing large before it.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **(env or {})}, cwd=cwd
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            on_line(line)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)  # else Popen would wait for it again
        if process.returncode:
            errors.seek(0)
            words_of_it = "\n".join(errors.read().splitlines()[-15:])
            raise SystemExit(f"{shlex.join(words)}\nended with {process.returncode}:\n{words_of_it}")
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return Child("".join(lines), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


@dataclass(frozen=True)
class Target:
    """A figure that was promised, and the one that was measured."""

    what: str
    wanted: str
    measured: str
    met: bool


def _nameless(word: str) -> str:
    """An argument without the folders of whoever ran it."""
    return f"…/{Path(word).name}" if Path(word).is_absolute() else word


def at_most(what: str, measured: float, limit: float, unit: str = "") -> Target:
    return Target(what, f"≤ {limit:g}{unit}", f"{measured:.4g}{unit}", measured <= limit)


def at_least(what: str, measured: float, limit: float, unit: str = "") -> Target:
    return Target(what, f"≥ {limit:g}{unit}", f"{measured:.4g}{unit}", measured >= limit)


class Record:
    """One run of one benchmark, from the load before it to the file that tells of it."""

    def __init__(self, name: str, question: str, *, quick: bool) -> None:
        self.name, self.question, self.quick = name, question, quick
        self.load_before = os.getloadavg()
        console.print(f"[bold]{question}[/]")
        if self.load_before[0] > QUIET:
            console.print(
                f"load average {self.load_before[0]:.2f}: others are at work, times will suffer", style="yellow"
            )

    def write(
        self,
        *,
        seeds: Iterable[int],
        n: int,
        measurements: list[dict[str, Any]],
        summary: dict[str, Any],
        targets: Sequence[Target] = (),
        versions: dict[str, str] | None = None,
    ) -> Path:
        """Show the targets and write the result; a try keeps no promise, and is written beside the work."""
        if not self.quick:
            show_targets(targets)
        now = datetime.datetime.now(datetime.UTC)
        content = {
            "benchmark": self.name,
            "question": self.question,
            "date": now.isoformat(timespec="seconds"),
            "command": " ".join(["python", os.path.relpath(sys.argv[0], ROOT), *map(_nameless, sys.argv[1:])]),
            "commit": commit(),
            "machine": machine(),
            "versions": {**installed(), **(versions or {})},
            "quiet": {"load_before": self.load_before, "load_after": os.getloadavg()},
            "seeds": list(seeds),
            "n": n,
            "summary": summary,
            "targets": [asdict(target) for target in targets],
            "measurements": measurements,
        }
        folder = WORK / "quick" if self.quick else RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{now:%Y-%m-%d}-{self.name}-{os.cpu_count()}-cores{KIND}.json"
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        console.print(f"written: {os.path.relpath(path)}", style="dim")
        return path


def show_targets(targets: Sequence[Target]) -> None:
    """Each promise with its figure, and whether it is kept."""
    if not targets:
        return
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for head in ("", "promised", "wanted", "measured"):
        table.add_column(head)
    for target in targets:
        mark = Text("met", "green") if target.met else Text("not met", "bold red")
        table.add_row(mark, target.what, target.wanted, target.measured)
    console.print(table)


def spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """Median, mean, standard deviation (None for one value), least and most."""
    return {
        "n": len(values),
        "median": statistics.median(values),
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def machine() -> dict[str, Any]:
    """The hardware and system, as far as they decide speed."""
    cpu, features, memory = platform.processor() or platform.machine(), [], None
    if Path("/proc/cpuinfo").exists():
        lines = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
        facts = {key.strip(): value.strip() for key, value in lines.items()}
        cpu = facts.get("model name", cpu)
        flags = facts.get("flags", "").split()
        features = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16") if flag in flags]
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "features": features,
        "memory_gb": memory,
        "threads": {
            key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
        },
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {platform.machine()}",
        "python": platform.python_version(),
    }


# Networks train several times as fast where the processor multiplies bfloat16 matrices: such results stand apart.
KIND = "" if "amx_bf16" in machine()["features"] else "-without-amx"


def installed() -> dict[str, str]:
    """Versions of the packages that decide a result, of those that are here."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit measured; ends in `+` if the source differed from it."""
    try:
        head = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, capture_output=True, text=True)
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", "src", "pyproject.toml"], cwd=ROOT, capture_output=True, text=True
        )
    except FileNotFoundError:
        return None
    return (head.stdout.strip() + ("+" if changed.stdout.strip() else "")) or None
