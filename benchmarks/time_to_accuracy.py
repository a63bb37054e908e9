"""How soon does a classifier of Fashion-MNIST reach which accuracy on two cores, ours and a Keras CNN?

Run: python benchmarks/time_to_accuracy.py --peer-python .venv-peer/bin/python --rounds 5 --peers 2 --quarter-hours 1
A round is `seconds` and `minutes` once (two minutes), with a run of the peer before it (three) as often as said, and
one of `quarter_hour` after it (twenty without AMX) as often as said. Ours learn from all 60,000 pictures and are judged
once, at their end; they count from the start of the process to trained weights. The peer is the published three-conv
network at batch 32 in fp32; its test accuracy is read after each of ten epochs, as its author printed it, and the time
of reading is left out. Draws docs/images/time_to_accuracy.png. Needs matplotlib. A finished run is a row in the work
folder, where its bundle stays too; the same command goes on after it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _keras
import _record
from rich.table import Table

from hangtag.core.files import write_file

BATCH, EPOCHS = 32, 10
PLOT = _record.ROOT / "docs" / "images" / f"time_to_accuracy{_record.KIND}.png"
WANTED = {"seconds": 0.92, "minutes": 0.94, "quarter_hour": 0.95}
PEER_GOAL = 0.90  # which the peer reaches about half-way


def train_ours(recipe: str, seed: int, *, work: Path, quick: bool) -> dict[str, Any]:
    out = work / f"{recipe}-{seed}"
    shutil.rmtree(out, ignore_errors=True)  # of a benchmark that was stopped: half a run says nothing about time
    command = [_record.HANGTAG, "train", recipe, "--full", "--seed", str(seed), "--json", "--out", str(out)]
    child = _record.run(command + (["--epochs", "1"] if quick else []))
    scores = _record.run([_record.HANGTAG, "evaluate", out / "bundle", "--json"])
    said = child.json()
    del said["bundle"]  # a temporary folder
    return {
        "side": "hangtag",
        "recipe": recipe,
        "seed": seed,
        **said,
        "test_accuracy": scores.json()["accuracy"],
        "test_loss": scores.json()["loss"],
        "evaluate_wall_s": scores.wall_s,
        "outside": {"wall_s": child.wall_s, "cpu_s": child.cpu_s, "peak_rss_mb": child.peak_rss_mb},
    }


def first_at(peer: dict[str, Any], accuracy: float) -> float | None:
    """Seconds until the peer's test accuracy first was `accuracy`."""
    return next((epoch["seconds"] for epoch in peer["epochs"] if epoch["test_accuracy"] >= accuracy), None)


def draw(path: Path, ours: dict[str, list[dict[str, Any]]], peers: list[dict[str, Any]]) -> None:
    """Test accuracy against seconds since the process started: a line per run of the peer, a point per run of ours."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker

    ink, quiet = "#222222", "#8a8f98"
    colours = {"seconds": "#e69f00", "minutes": "#d1495b", "quarter_hour": "#0072b2"}
    pyplot.rcParams.update({"font.size": 11, "font.family": "sans-serif", "text.color": ink, "axes.labelcolor": ink})
    figure, axes = pyplot.subplots(figsize=(8, 4.6), dpi=160, layout="constrained")
    for run in peers:
        seconds = [epoch["seconds"] for epoch in run["epochs"]]
        accuracy = [100 * epoch["test_accuracy"] for epoch in run["epochs"]]
        axes.plot(seconds, accuracy, "-o", color=quiet, lw=1.2, ms=3.5, alpha=0.55)
    last = peers[0]["epochs"][-1]
    axes.annotate(
        f"Keras, three-conv network:\n{last['epoch']} epochs",
        (last["seconds"], 100 * min(run["epochs"][-1]["test_accuracy"] for run in peers)),
        xytext=(8, -10),
        textcoords="offset points",
        ha="left",
        va="top",
        color=quiet,
    )
    for recipe, runs in ours.items():
        seconds = [run["seconds"] for run in runs]
        accuracy = [100 * run["test_accuracy"] for run in runs]
        axes.plot(seconds, accuracy, "o", color=colours[recipe], ms=8, mec="w", mew=1)
        middle = statistics.median(seconds)
        late = recipe == "quarter_hour"  # the label stands on the side that has room
        axes.annotate(
            f"hangtag {recipe}: {statistics.fmean(accuracy):.2f}% in {middle:.0f} s",
            (min(seconds) if late else max(seconds), statistics.fmean(accuracy)),
            xytext=(-12 if late else 12, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            color=colours[recipe],
            weight="bold",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(ticker.FixedLocator([10, 20, 50, 100, 200, 500, 1000]))
    axes.xaxis.set_major_formatter(ticker.FormatStrFormatter("%d"))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlim(10, max(1300, 1.15 * max(run["seconds"] for runs in ours.values() for run in runs)))
    axes.margins(y=0.1)
    axes.set_xlabel("seconds since the process started (two cores)")
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
parser.add_argument("--peers", type=int, default=2, help="times the peer is run")
parser.add_argument("--quarter-hours", type=int, default=1, help="times `quarter_hour` is run")
parser.add_argument("--work", type=Path, default=_record.WORK / "time_to_accuracy", help="where rows of runs lie")
options = parser.parse_args()
work = options.work / "quick" if options.quick else options.work
work.mkdir(parents=True, exist_ok=True)
record = _record.Record("time_to_accuracy", __doc__.partition("\n")[0], quick=options.quick)


def remembered(name: str, settings: Any, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The row of a finished run, or a new one."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:10]
    path = work / f"{name}-{digest}.row.json"
    if not path.exists():
        _record.console.print(name, style="dim")
        row = {**measure(), "commit": _record.commit()}
        write_file(path, f"{json.dumps(row, allow_nan=False)}\n".encode())
    row = json.loads(path.read_text(encoding="utf-8"))
    return row


def our_run(recipe: str, seed: int) -> dict[str, Any]:
    from hangtag import recipes
    from hangtag.core.recipe import to_dict

    return remembered(
        f"{recipe}-{seed}",
        to_dict(recipes.create(recipe)),
        lambda: train_ours(recipe, seed, work=work, quick=options.quick),
    )


jit = options.jit
measurements: list[dict[str, Any]] = []
if jit == "choose":
    jit, probes = _keras.quicker_jit(
        options.peer_python, batch=BATCH, epochs=EPOCHS, precision="fp32", quick=options.quick
    )
    measurements += probes
ours: dict[str, list[dict[str, Any]]] = {recipe: [] for recipe in WANTED}
peers = []
for seed in range(max(options.rounds, options.peers, options.quarter_hours)):
    if seed < options.peers:
        epochs = 3 if options.quick else EPOCHS
        peers.append(
            remembered(
                f"keras-{seed}",
                [jit, epochs],
                lambda seed=seed, epochs=epochs: _keras.train(
                    options.peer_python,
                    batch=BATCH,
                    epochs=epochs,
                    precision="fp32",
                    jit=jit,
                    seed=seed,
                    test="each",
                    quick=options.quick,
                ),
            )
        )
    if seed < options.rounds:
        ours["seconds"].append(our_run("seconds", seed))
        ours["minutes"].append(our_run("minutes", seed))
    if seed < options.quarter_hours:
        ours["quarter_hour"].append(our_run("quarter_hour", seed))
ours = {recipe: runs for recipe, runs in ours.items() if runs}
measurements += peers + [run for runs in ours.values() for run in runs]

summary: dict[str, Any] = {
    "peer": {
        "xla": jit,
        "n": len(peers),
        "first_epoch_s": _record.spread([run["epochs"][0]["seconds"] for run in peers]),
        "end_s": _record.spread([run["epochs"][-1]["seconds"] for run in peers]),
        "end_accuracy": _record.spread([run["epochs"][-1]["test_accuracy"] for run in peers]),
    }
}
reached = [seconds for run in peers if (seconds := first_at(run, PEER_GOAL)) is not None]
if reached:
    summary["peer"]["goal_s"] = _record.spread(reached)
for recipe, runs in ours.items():
    summary[recipe] = {
        "n": len(runs),
        "seeds": [run["seed"] for run in runs],
        "params": runs[0]["params"],
        "seconds": _record.spread([run["seconds"] for run in runs]),
        "test_accuracy": _record.spread([run["test_accuracy"] for run in runs]),
        "test_loss": _record.spread([run["test_loss"] for run in runs]),
        "peak_rss_mb": _record.spread([run["outside"]["peak_rss_mb"] for run in runs]),
    }
limits = {
    "seconds": ("the peer's first epoch", summary["peer"]["first_epoch_s"]["median"]),
    "minutes": ("the peer's first 90%", summary["peer"].get("goal_s", {"median": 0.0})["median"]),
    "quarter_hour": ("5 times the peer's ten epochs", 5 * summary["peer"]["end_s"]["median"]),
}
targets = []
table = Table(title="test accuracy against time", title_justify="left", title_style="bold")
for head in ("", "n", "seconds, median", "test accuracy, mean ± sd", "loss", "must end within", "seconds"):
    table.add_column(head, justify="left" if not head else "right")
for recipe in ours:
    row, (limit, at) = summary[recipe], limits[recipe]
    row |= {"limit": limit, "limit_s": at, "wanted": WANTED[recipe]}
    sd = row["test_accuracy"]["sd"]
    accuracy = f"{row['test_accuracy']['mean']:.2%}" + ("" if sd is None else f" ± {100 * sd:.2f}")
    loss = f"{row['test_loss']['mean']:.3f}"
    table.add_row(recipe, str(row["n"]), f"{row['seconds']['median']:.1f}", accuracy, loss, limit, f"{at:.1f}")
    targets += [
        _record.at_least(f"{recipe}: test accuracy, mean", row["test_accuracy"]["mean"], WANTED[recipe]),
        _record.at_most(f"{recipe}: median, against {limit}", row["seconds"]["median"], round(at, 1), " s"),
    ]
end = summary["peer"]
table.add_section()
table.add_row(
    f"keras, XLA {jit}, {len(peers[0]['epochs'])} epochs",
    str(end["n"]),
    f"{end['end_s']['median']:.1f}",
    f"{end['end_accuracy']['mean']:.2%}",
    *[""] * 3,
)
_record.console.print(table)
plot = work / PLOT.name if options.quick else PLOT
draw(plot, ours, peers)
_record.console.print(f"drawn: {plot.relative_to(_record.ROOT)}", style="dim")
record.write(
    seeds=range(options.rounds),
    n=len(measurements),
    measurements=measurements,
    summary=summary,
    targets=targets,
    versions=peers[0]["versions"],
)
