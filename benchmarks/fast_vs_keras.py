"""Does `fast` reach 94% before a Keras CNN, at batch 32 in fp32, ends its tenth epoch?

Run: python benchmarks/fast_vs_keras.py --peer-python .venv-peer/bin/python --rounds 3 (about five minutes a round)
Ours counts from the start of the process to trained weights. The peer's test accuracy is read after each epoch, as its
author printed it; the time of reading is left out. Draws docs/images/fast_vs_keras.png. Needs matplotlib.
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

BATCH, EPOCHS = 32, 10
GOAL = 0.94
PLOT = _record.ROOT / "docs" / "images" / "fast_vs_keras.png"


def train_ours(seed: int, *, quick: bool) -> dict[str, Any]:
    _record.console.print("hangtag fast")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [_record.HANGTAG, "train", "fast", "--seed", str(seed), "--json", "--out", str(out)]
        child = _record.run(command + (["--epochs", "1"] if quick else []))
        scores = _record.run([_record.HANGTAG, "evaluate", out / "bundle", "--json"]).json()
    said = child.json()
    del said["bundle"]  # a temporary folder
    return {
        "side": "hangtag",
        "seed": seed,
        **said,
        "test_accuracy": scores["accuracy"],
        "test_loss": scores["loss"],
        "outside": {"wall_s": child.wall_s, "cpu_s": child.cpu_s, "peak_rss_mb": child.peak_rss_mb},
    }


def draw(path: Path, ours: list[dict[str, Any]], peers: list[dict[str, Any]]) -> None:
    """Test accuracy against seconds since the process started: the peer's epochs a line, each of our runs a point."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    ink, quiet, accent = "#222222", "#8a8f98", "#d1495b"
    pyplot.rcParams.update({"font.size": 11, "font.family": "sans-serif", "text.color": ink, "axes.labelcolor": ink})
    figure, axes = pyplot.subplots(figsize=(8, 4.5), dpi=160, layout="constrained")
    for run in peers:
        seconds = [epoch["seconds"] for epoch in run["epochs"]]
        accuracy = [100 * epoch["test_accuracy"] for epoch in run["epochs"]]
        axes.plot(seconds, accuracy, "-o", color=quiet, lw=1.5, ms=5, alpha=1 if run is peers[0] else 0.5)
    last = peers[0]["epochs"][-1]
    axes.annotate(
        f"Keras, three-conv network\n{last['epoch']} epochs: {last['test_accuracy']:.1%} in {last['seconds']:.0f} s",
        (last["seconds"], 100 * last["test_accuracy"]),
        xytext=(4, -18),
        textcoords="offset points",
        ha="right",
        va="top",
        color=quiet,
    )
    axes.plot(
        [run["seconds"] for run in ours], [100 * run["test_accuracy"] for run in ours], "o", color=accent, ms=9, mec="w"
    )
    middle = sorted(ours, key=lambda run: run["seconds"])[len(ours) // 2]
    late = middle["seconds"] > last["seconds"] / 2  # the label stands on the side that has room
    axes.annotate(
        f"hangtag fast\n{middle['test_accuracy']:.1%} in {middle['seconds']:.0f} s",
        (middle["seconds"], 100 * middle["test_accuracy"]),
        xytext=(-12 if late else 12, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="center",
        color=accent,
        weight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},  # the goal passes behind it
    )
    axes.axhline(100 * GOAL, color=ink, lw=1, ls=(0, (4, 4)), zorder=1)
    axes.annotate(
        f"the goal: {GOAL:.0%}",
        (1, 100 * GOAL),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
    )
    axes.set_xlim(left=0)
    axes.margins(y=0.12)
    axes.set_xlabel("seconds since the process started")
    axes.set_ylabel("test accuracy, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#c4c8ce")
    axes.tick_params(color="#c4c8ce", labelcolor=ink)
    axes.grid(axis="y", color="#eceef1", lw=0.8)
    axes.set_axisbelow(True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
_keras.add_options(parser)
options = parser.parse_args()
record = _record.Record("fast_vs_keras", __doc__.partition("\n")[0], quick=options.quick)

measurements: list[dict[str, Any]] = []
jit = options.jit
if jit == "choose":
    jit, probes = _keras.quicker_jit(
        options.peer_python, batch=BATCH, epochs=EPOCHS, precision="fp32", quick=options.quick
    )
    measurements += probes
ours, peers = [], []
for seed in range(options.rounds):
    peers.append(
        _keras.train(
            options.peer_python,
            batch=BATCH,
            epochs=3 if options.quick else EPOCHS,
            precision="fp32",
            jit=jit,
            seed=seed,
            test="each",
            quick=options.quick,
        )
    )
    ours.append(train_ours(seed, quick=options.quick))
measurements += peers + ours

table = Table(title="test accuracy against time", title_justify="left", title_style="bold")
for head in ("", "epoch", "seconds", "test accuracy"):
    table.add_column(head, justify="left" if not head else "right")
peer_ends = []
for number in range(len(peers[0]["epochs"])):
    seconds = statistics.median(run["epochs"][number]["seconds"] for run in peers)
    accuracy = statistics.median(run["epochs"][number]["test_accuracy"] for run in peers)
    peer_ends.append({"epoch": number + 1, "seconds": seconds, "test_accuracy": accuracy})
    table.add_row("" if number else f"keras, XLA {jit}", str(number + 1), f"{seconds:.1f}", f"{accuracy:.2%}")
table.add_section()
for run in ours:
    table.add_row(
        f"hangtag fast, seed {run['seed']}",
        str(len(run["history"])),
        f"{run['seconds']:.1f}",
        f"{run['test_accuracy']:.2%}",
    )
_record.console.print(table)

summary = {
    "seconds": _record.spread([run["seconds"] for run in ours]),
    "test_accuracy": _record.spread([run["test_accuracy"] for run in ours]),
    "peer_epochs": peer_ends,
    "peer_xla": jit,
    "peer_quickest_end": min(run["epochs"][-1]["seconds"] for run in peers),
}
plot = _record.WORK / "quick" / PLOT.name if options.quick else PLOT
draw(plot, ours, peers)
_record.console.print(f"drawn: {plot.relative_to(_record.ROOT)}", style="dim")
record.write(
    seeds=range(options.rounds),
    n=options.rounds,
    measurements=measurements,
    summary=summary,
    targets=[  # the slowest of ours against the quickest of theirs
        _record.at_least("fast: test accuracy, mean", summary["test_accuracy"]["mean"], GOAL),
        _record.at_most(
            "fast: slowest, against the peer's end", summary["seconds"]["max"], summary["peer_quickest_end"], " s"
        ),
    ],
    versions=peers[0]["versions"],
)
