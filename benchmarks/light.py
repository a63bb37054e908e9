"""How much does a bare `pip install .` weigh, and how soon does it answer?

Run: python benchmarks/light.py (two minutes; makes an environment of its own and installs into it, from the network)
Every start is a new process. The system has the files in memory by then; `first_s` is the start right after installing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import _record
from rich.table import Table

STARTS = 15
NOT_OURS = ("pip", "setuptools", "_distutils_hack", "distutils-precedence.pth")  # what every environment begins with
LIMIT_MB, HELP_S, RECOGNISE_S = 250, 0.3, 1.0


def weight(site: Path) -> dict[str, float]:
    """MB (10^6 bytes) per top-level name of `site`, as laid on disk in whole blocks, heaviest first."""
    weights: dict[str, float] = {}
    for folder, _, files in os.walk(site):
        for file in files:
            path = Path(folder, file)
            name = path.relative_to(site).parts[0]
            if name.partition("-")[0] not in NOT_OURS and name not in NOT_OURS:
                weights[name] = weights.get(name, 0.0) + path.lstat().st_blocks * 512 / 1e6
    return dict(sorted(weights.items(), key=lambda item: -item[1]))


def tree_peak_mb(command: list[str]) -> float:
    """Most memory a command and its children held together (proportional set size), looked at every 5 ms.

    The looking slows it down, so it is done apart from the timing.
    """
    import psutil

    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total = 0
        for one in (process, *process.children(recursive=True)):
            try:
                total += getattr(one.memory_full_info(), "pss", 0) or one.memory_info().rss  # macOS knows no pss
            except psutil.Error:  # it ended meanwhile
                continue
        peak = max(peak, total)
        time.sleep(0.005)
    return peak / 1e6


# In a process of its own: what this one holds would count as its children's memory (see `_record.run`).
SAVE_PICTURE = """
import sys
from PIL import Image
from hangtag import data
Image.fromarray(data.find(name="fashion-mnist").test().images[0]).save(sys.argv[1])
"""


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--model", default="default", help="bundle to recognise with  [default: the one in the package]")
parser.add_argument("--quick", action="store_true", help="a try, of two starts: no result")
options = parser.parse_args()
record = _record.Record("light", __doc__.partition("\n")[0], quick=options.quick)
model = str(Path(options.model).resolve()) if Path(options.model).exists() else options.model

with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    _record.run([sys.executable, "-m", "venv", folder / "venv"])
    bin_ = folder / "venv" / "bin"
    _record.console.print("pip install .", style="dim")
    install = _record.run([bin_ / "pip", "install", "--quiet", "--disable-pip-version-check", _record.ROOT])
    site = Path(
        _record.run([bin_ / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).stdout.strip()
    )
    weights = weight(site)
    torch = (site / "torch").exists()
    picture = folder / "one.png"
    _record.run([sys.executable, "-c", SAVE_PICTURE, picture])
    commands = {"hangtag --help": ["--help"], "hangtag recognise one.png": ["recognise", str(picture), "-m", model]}
    measurements: list[dict[str, Any]] = []
    for turn in range(2 if options.quick else STARTS + 1):  # in turn; the first of each is kept apart
        for name, words in commands.items():
            child = _record.run([bin_ / "hangtag", *words], cwd=folder)
            measurements.append(
                {
                    "command": name,
                    "first": not turn,
                    "wall_s": child.wall_s,
                    "cpu_s": child.cpu_s,
                    "peak_rss_mb": child.peak_rss_mb,
                }
            )
    together = tree_peak_mb([str(bin_ / "hangtag"), *commands["hangtag recognise one.png"]])

summary: dict[str, Any] = {
    "installed_mb": sum(weights.values()),
    "install_seconds": install.wall_s,
    "torch": torch,
    "weights_mb": weights,
    "recognise_all_processes_mb": together,
}
table = Table(title="a bare installation", title_justify="left", title_style="bold")
for head in ("", "median", "least", "most", "first", "peak MB"):
    table.add_column(head, justify="left" if not head else "right")
for name in commands:
    mine = [row for row in measurements if row["command"] == name]
    starts = _record.spread([row["wall_s"] for row in mine if not row["first"]])
    peak = statistics.median(row["peak_rss_mb"] for row in mine)
    summary[name] = {**starts, "first_s": mine[0]["wall_s"], "peak_rss_mb": peak}
    cells = [
        f"{1000 * seconds:,.0f} ms" for seconds in (starts["median"], starts["min"], starts["max"], mine[0]["wall_s"])
    ]
    table.add_row(name, *cells, f"{peak:,.0f}")
_record.console.print(table)
heaviest = ", ".join(f"{name} {mb:.0f}" for name, mb in list(weights.items())[:5])
_record.console.print(
    f"installed: [bold]{summary['installed_mb']:.0f} MB[/] ({heaviest}); torch: {'yes' if torch else 'no'}"
)
_record.console.print(f"recognise, all its processes together: {together:.0f} MB")
record.write(
    seeds=(),
    n=len(measurements) // 2 - 1,
    measurements=measurements,
    summary=summary,
    targets=[
        _record.at_most("pip install .", summary["installed_mb"], LIMIT_MB, " MB"),
        _record.Target("torch", "not installed", "installed" if torch else "not installed", not torch),
        _record.at_most("hangtag --help", summary["hangtag --help"]["median"], HELP_S, " s"),
        _record.at_most("hangtag recognise one.png", summary["hangtag recognise one.png"]["median"], RECOGNISE_S, " s"),
    ],
)
