"""What does each recipe reach on the test pictures, and what does it cost?

Run: python benchmarks/recipes.py --seeds 0,1,2 (four hours a seed on two cores; `--recipes` names some)
Each run has a process of its own. A finished run is a row in the work folder; the same command goes on after it.
A row counts while the recipe's settings are what they were; the result holds all rows that count.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import _record
from rich.table import Table

from hangtag.core.files import write_file

TARGETS = {
    "lenet5": 0.89,
    "brownlee": 0.90,
    "three_conv": 0.90,
    "custom_cnn": 0.93,
    "efficientnet": 0.925,
    "minutes": 0.94,
}
THREE_CONV_LOSS = 0.30


def networks() -> list[str]:
    """The recipes of networks for Fashion-MNIST: the classical ones are named by who wants them."""
    from hangtag import recipes
    from hangtag.core.recipe import NetworkRecipe

    made = {name: recipes.create(name) for name in recipes.register.names() if name != "fast"}  # that is minutes
    return [name for name, one in made.items() if isinstance(one, NetworkRecipe) and one.data == "fashion-mnist"]


def settings(name: str) -> dict[str, Any]:
    from hangtag import recipes
    from hangtag.core import recipe

    settings: dict[str, Any] = json.loads(json.dumps(recipe.to_dict(recipes.create(name))))
    return settings


def measure(name: str, seed: int, *, full: bool, work: Path, quick: bool) -> dict[str, Any]:
    """Train once, judge once."""
    out = work / "running"
    shutil.rmtree(out, ignore_errors=True)  # of a benchmark that was stopped: half a run says nothing about time
    load_before = os.getloadavg()
    command = [_record.HANGTAG, "train", name, "--seed", str(seed), "--json", "--out", str(out)]
    command += (["--full"] if full else []) + (["--epochs", "1"] if quick else [])
    child = _record.run(command)
    run = child.json()
    bundle = run.pop("bundle")
    row = {
        "recipe": name,
        "seed": seed,
        "full": full,
        "settings": settings(name),
        "commit": _record.commit(),
        "versions": _record.installed(),
        "load_before": load_before,
        "load_after": os.getloadavg(),
        "wall_s": child.wall_s,
        "cpu_s": child.cpu_s,
        "peak_rss_mb": child.peak_rss_mb,
        "train": run,
        "test": None,  # comparison-only algorithms leave nothing to evaluate
    }
    if bundle is not None:
        files = {file.name: file.stat().st_size for file in Path(bundle).iterdir() if file.is_file()}
        row |= {
            "test": _record.run([_record.HANGTAG, "evaluate", bundle, "--json"]).json(),
            "bundle_bytes": files,
        }
    return row


def collect(work: Path) -> list[dict[str, Any]]:
    """Every row whose recipe is still what it was."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(work.glob("*.row.json"))]
    return [row for row in rows if row["settings"] == settings(row["recipe"])]


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Per recipe (and `name --full`): the spread of every figure over its seeds."""
    summary: dict[str, Any] = {}
    for key in dict.fromkeys((row["recipe"], row["full"]) for row in rows):
        same = [row for row in rows if (row["recipe"], row["full"]) == key]
        figures: dict[str, list[float]] = {
            "val_accuracy": [row["train"]["val_accuracy"] for row in same if row["train"]["val_accuracy"] is not None],
            "seconds": [row["train"]["seconds"] for row in same],
            "export_seconds": [row["train"]["export_seconds"] for row in same],
            "peak_rss_mb": [row["peak_rss_mb"] for row in same],
            "onnx_mb": [row["bundle_bytes"].get("model.onnx", 0) / 1e6 for row in same if row["test"]],
            "bundle_mb": [sum(row["bundle_bytes"].values()) / 1e6 for row in same if row["test"]],
        }
        for figure in ("accuracy", "loss", "f1"):
            figures[figure] = [row["test"][figure] for row in same if row["test"]]
        name = key[0] + (" --full" if key[1] else "")
        summary[name] = {
            "n": len(same),
            "seeds": [row["seed"] for row in same],
            "params": same[0]["train"]["params"],
            **{figure: _record.spread(values) for figure, values in figures.items() if values},
        }
    best = {name: row.get("accuracy", row.get("val_accuracy", {"mean": 0.0}))["mean"] for name, row in summary.items()}
    return {name: summary[name] for name in sorted(summary, key=lambda name: -best[name])}


def show(summary: dict[str, Any]) -> None:
    table = Table(title="test pictures: mean ± standard deviation over seeds", title_justify="left", title_style="bold")
    for head in (
        "recipe",
        "n",
        "accuracy %",
        "loss",
        "macro F1 %",
        "seconds",
        "export s",
        "peak MB",
        "ONNX MB",
        "parameters",
    ):
        table.add_column(head, justify="left" if head == "recipe" else "right")

    def cell(row: dict[str, Any], figure: str, digits: int, scale: float = 1.0) -> str:
        if figure not in row:
            return "–"
        sd = row[figure]["sd"]
        return f"{row[figure]['mean'] * scale:,.{digits}f}" + ("" if sd is None else f" ± {sd * scale:.{digits}f}")

    for name, row in summary.items():
        table.add_row(
            name,
            str(row["n"]),
            cell(row, "accuracy", 2, 100),
            cell(row, "loss", 3),
            cell(row, "f1", 2, 100),
            cell(row, "seconds", 1),
            cell(row, "export_seconds", 1),
            cell(row, "peak_rss_mb", 0),
            cell(row, "onnx_mb", 2),
            "–" if row["params"] is None else f"{row['params']:,}",
        )
    _record.console.print(table)


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--recipes", help="names, with commas between  [default: every network]")
parser.add_argument("--seeds", default="0", help="numbers, with commas between  [default: 0]")
parser.add_argument("--full", action="store_true", help="learn from the validation pictures too")
parser.add_argument("--work", type=Path, default=_record.WORK / "recipes", help="where rows of finished runs lie")
parser.add_argument("--quick", action="store_true", help="a try, of one epoch: no result")
options = parser.parse_args()
work = options.work / "quick" if options.quick else options.work
work.mkdir(parents=True, exist_ok=True)
record = _record.Record("recipes", __doc__.partition("\n")[0], quick=options.quick)

for name in options.recipes.split(",") if options.recipes else networks():
    for seed in map(int, options.seeds.split(",")):
        digest = hashlib.sha256(json.dumps(settings(name), sort_keys=True).encode()).hexdigest()[:10]
        path = work / f"{name}-{'full-' if options.full else ''}seed{seed}-{digest}.row.json"
        if path.exists():
            _record.console.print(f"{name}, seed {seed}: finished already", style="dim")
            continue
        _record.console.print(f"{name}, seed {seed}", style="dim")
        row = measure(name, seed, full=options.full, work=work, quick=options.quick)
        write_file(path, f"{json.dumps(row, indent=1, allow_nan=False)}\n".encode())
        shutil.rmtree(work / "running")

rows = collect(work)
summary = summarise(rows)
show(summary)
targets = [
    _record.at_least(f"{name}: test accuracy", summary[name]["accuracy"]["mean"], wanted)
    for name, wanted in TARGETS.items()
    if name in summary
]
if "three_conv" in summary:
    targets.append(_record.at_most("three_conv: test loss", summary["three_conv"]["loss"]["mean"], THREE_CONV_LOSS))
record.write(
    seeds=sorted({row["seed"] for row in rows}), n=len(rows), measurements=rows, summary=summary, targets=targets
)
