"""Is `three_conv` twice as quick and half as hungry as the same network in Keras, export included?

Run: python benchmarks/three_conv_vs_keras.py --peer-python .venv-peer/bin/python --rounds 3 (10 to 15 minutes a round)
Batch 64, ten epochs, no early stopping, both sides on all cores, one at a time, in turn. The peer runs in fp32 and in
bf16, each with or without XLA, whichever a short try finds quicker; the better one counts, for time and memory apart.
A precision that by its short try would take more than twice as long as the other is not run whole.
Time runs from the start of the process until model and export are written; memory is the process's peak until then.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import _keras
import _record
from rich.table import Table

BATCH, EPOCHS = 64, 10
TIME_RATIO = MEMORY_RATIO = 0.5
HOPELESS = 2.0  # times the other precision's time, by a short try


def train_ours(seed: int, *, quick: bool) -> dict[str, Any]:
    """One run of ours, then its scores on the test pictures, outside the measured time."""
    _record.console.print("hangtag three_conv")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [_record.HANGTAG, "train", "three_conv", "--set", "patience=null", "--set", f"batch_size={BATCH}"]
        command += ["--epochs", str(1 if quick else EPOCHS), "--seed", str(seed), "--json", "--out", str(out)]
        child = _record.run(command)
        scores = _record.run([_record.HANGTAG, "evaluate", out / "bundle", "--json"]).json()
    said = child.json()
    del said["bundle"]  # a temporary folder
    return {
        "side": "hangtag",
        "seed": seed,
        **said,
        "total_seconds": child.wall_s,  # until the process has ended; the peer is counted until its export is written
        "peak_rss_mb_inside": said["peak_rss_mb"],
        "peak_rss_mb": child.peak_rss_mb,
        "test_accuracy": scores["accuracy"],
        "test_loss": scores["loss"],
        "outside": {"wall_s": child.wall_s, "cpu_s": child.cpu_s, "peak_rss_mb": child.peak_rss_mb},
    }


def medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    keys = ("total_seconds", "seconds", "peak_rss_mb", "test_accuracy", "test_loss")
    return {key: statistics.median(run[key] for run in runs) for key in keys}


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
_keras.add_options(parser)
options = parser.parse_args()
record = _record.Record("three_conv_vs_keras", __doc__.partition("\n")[0], quick=options.quick)
epochs = _keras.PROBE_EPOCHS if options.quick else EPOCHS

measurements: list[dict[str, Any]] = []
tries: dict[str, dict[str, Any]] = {}  # of each precision the quicker one
for precision in ("fp32", "bf16"):
    setting = {"batch": BATCH, "epochs": EPOCHS, "precision": precision, "quick": options.quick}
    if options.jit == "choose":
        _, probes = _keras.quicker_jit(options.peer_python, **setting)
    else:
        probes = [_keras.tried(options.peer_python, jit=options.jit, **setting)]
    measurements += probes
    tries[precision] = probes[0]
expected = {precision: probe["expected_seconds"] for precision, probe in tries.items()}
run_whole = [precision for precision in tries if expected[precision] <= HOPELESS * min(expected.values())]
for turn in range(options.rounds):  # in turn, so that a slow minute of the machine hits both sides
    for number, precision in enumerate(run_whole):
        measurements.append(
            _keras.train(
                options.peer_python,
                batch=BATCH,
                epochs=epochs,
                precision=precision,
                jit=tries[precision]["jit"],
                seed=turn,
                quick=options.quick,
            )
        )
        measurements.append(train_ours(len(run_whole) * turn + number, quick=options.quick))

peers = [run for run in measurements if run["side"] == "keras"]
ours = medians([run for run in measurements if run["side"] == "hangtag"])
full = {p: medians([run for run in peers if run["precision"] == p and "probe" not in run]) for p in run_whole}
quickest = min(median["total_seconds"] for median in full.values())
leanest = min(*(median["peak_rss_mb"] for median in full.values()), *(run["peak_rss_mb"] for run in peers))
summary = {
    "hangtag": ours,
    **{f"keras_{precision}": {**median, "xla": tries[precision]["jit"]} for precision, median in full.items()},
    **{
        f"keras_{precision}": {"expected_seconds": expected[precision], "xla": tries[precision]["jit"]}
        for precision in tries
        if precision not in full
    },
    "time_ratio": ours["total_seconds"] / quickest,
    "memory_ratio": ours["peak_rss_mb"] / leanest,
}

table = Table(title=f"three_conv, batch {BATCH}, {epochs} epochs, medians", title_justify="left", title_style="bold")
for head in ("", "seconds, export in", "training", "peak MB", "test accuracy", "test loss"):
    table.add_column(head, justify="left" if not head else "right")
for name, row in [
    ("hangtag", ours),
    *((f"keras {p}, XLA {tries[p]['jit']}", full[p]) for p in full),
]:
    table.add_row(
        name,
        f"{row['total_seconds']:.1f}",
        f"{row['seconds']:.1f}",
        f"{row['peak_rss_mb']:,.0f}",
        f"{row['test_accuracy']:.2%}",
        f"{row['test_loss']:.3f}",
    )
for precision in tries:
    if precision not in full:
        table.add_row(f"keras {precision}", f"about {expected[precision]:.0f}, by {_keras.PROBE_EPOCHS} epochs")
table.add_section()
table.add_row("ours / best of keras", f"{summary['time_ratio']:.2f}", "", f"{summary['memory_ratio']:.2f}", "", "")
_record.console.print(table)
record.write(
    seeds=range(len(run_whole) * options.rounds),
    n=options.rounds,
    measurements=measurements,
    summary=summary,
    targets=[
        _record.at_most("time with export, against the quicker peer", summary["time_ratio"], TIME_RATIO),
        _record.at_most("peak memory, against the leaner peer", summary["memory_ratio"], MEMORY_RATIO),
        _record.at_least("test accuracy", ours["test_accuracy"], 0.90),
        _record.at_most("test loss", ours["test_loss"], 0.30),
    ],
    versions=peers[0]["versions"],
)
