"""How much longer does an epoch take beside a busy process than alone, and what does that cost where nobody is busy?

Run: python benchmarks/busy.py --peer-python .venv-peer/bin/python --rounds 3 (about eight minutes a round)
One epoch of `three_conv` on all 55,000 training images, batch 64, on all cores: alone, beside one process that never
rests, and beside three. Hangtag as it is, another version of it that is installed elsewhere (`--before PYTHON`), and
the same network in Keras (fp32, no XLA), in turn within each round. The first epoch, with start and compilation, does
not count.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _keras
import _record
from rich.table import Table

RECIPE, BATCH, EPOCHS = "three_conv", 64, 3
BESIDE = (0, 1, 3)  # busy processes
SLOWER_BESIDE_ONE, SLOWER_ALONE = 2.0, 1.1  # promised


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """`count` processes that never rest, while it lasts."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def epochs_of_hangtag(program: str, seed: int) -> list[float]:
    """Seconds of each epoch but the first."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "train", RECIPE, "--set", "patience=null", "--set", f"batch_size={BATCH}", "--json"]
        command += ["--epochs", str(EPOCHS), "--seed", str(seed), "--out", str(Path(folder) / "run")]
        ends = [epoch["seconds"] for epoch in _record.run(command).json()["history"]]
    return [end - start for start, end in itertools.pairwise(ends)]


def epochs_of_keras(python: str, seed: int, quick: bool) -> list[float]:
    """Seconds of each epoch but the first."""
    setting = {"batch": BATCH, "epochs": 2, "precision": "fp32", "jit": "off", "seed": seed, "quick": quick}
    ends = [epoch["seconds"] for epoch in _keras.train(python, **setting)["epochs"]]
    return [end - start for start, end in itertools.pairwise(ends)]


def measured(side: str, seed: int, options: argparse.Namespace) -> list[float]:
    if side == "keras":
        return epochs_of_keras(options.peer_python, seed, options.quick)
    program = str(Path(options.before).with_name("hangtag")) if side == "before" else _record.HANGTAG
    return epochs_of_hangtag(program, seed)


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--peer-python", help="python of an environment with peers/requirements.txt; without: no Keras")
parser.add_argument("--before", help="python of an environment with another version of Hangtag")
parser.add_argument("--rounds", type=int, default=3, help="times everything is run, in turn")
parser.add_argument("--quick", action="store_true", help="a try: one round without three busy processes, no result")
options = parser.parse_args()
record = _record.Record("busy", __doc__.partition("\n")[0], quick=options.quick)
sides = ["hangtag", *(["before"] if options.before else []), *(["keras"] if options.peer_python else [])]
beside = BESIDE[:2] if options.quick else BESIDE

measurements: list[dict[str, Any]] = []
for turn in range(1 if options.quick else options.rounds):
    for count, side in itertools.product(beside, sides):
        with busy(count):
            seconds = measured(side, turn, options)
        measurements.append({"side": side, "busy_processes": count, "seed": turn, "epoch_seconds": seconds})
        _record.console.print(f"{side:>12} beside {count}: {', '.join(f'{value:.2f}' for value in seconds)} s an epoch")


def median(side: str, count: int) -> float:
    runs = [run for run in measurements if run["side"] == side and run["busy_processes"] == count]
    return statistics.median(value for run in runs for value in run["epoch_seconds"])


summary = {side: {str(count): median(side, count) for count in beside} for side in sides}
table = Table(title=f"{RECIPE}, seconds an epoch, medians", title_justify="left", title_style="bold")
for head in (
    "",
    "alone",
    *(f"beside {count}" for count in beside[1:]),
    *(f"times alone, beside {n}" for n in beside[1:]),
):
    table.add_column(head, justify="left" if not head else "right")
for side, row in summary.items():
    ratios = (f"{row[str(count)] / row['0']:.2f}" for count in beside[1:])
    table.add_row(side, *(f"{row[str(count)]:.1f}" for count in beside), *ratios)
_record.console.print(table)
ours = summary["hangtag"]
targets = [_record.at_most("an epoch beside one busy process, times alone", ours["1"] / ours["0"], SLOWER_BESIDE_ONE)]
if options.before:
    targets.append(_record.at_most("an epoch alone, times before", ours["0"] / summary["before"]["0"], SLOWER_ALONE))
record.write(
    seeds=range(options.rounds),
    n=options.rounds,
    measurements=measurements,
    summary=summary,
    targets=targets,
)
