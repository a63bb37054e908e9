"""Does a network that has seen only drawn garments recognise real ones?

Run: python benchmarks/drawn.py (two minutes; the real test pictures must be there: HANGTAG_DATA, or fetched)
It should be right more often than not; a class is drawn badly where its recall is low.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

import _record
from rich.table import Table

RECIPE, LIMIT = "three_conv", 0.50

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--seeds", default="0,1,2")
parser.add_argument("--quick", action="store_true", help="a try, one epoch of one seed: no result")
options = parser.parse_args()
seeds = [0] if options.quick else [int(seed) for seed in options.seeds.split(",")]
record = _record.Record("drawn", __doc__.partition("\n")[0], quick=options.quick)

measurements: list[dict[str, Any]] = []
for seed in seeds:
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", RECIPE, "--data", "drawn", "--seed", str(seed), "--out", folder, "--json"]
        trained = _record.run([_record.HANGTAG, *words, *(["--epochs", "1"] if options.quick else [])]).json()
        words = ["evaluate", trained["bundle"], "--data", "fashion-mnist", "--json"]
        judged = _record.run([_record.HANGTAG, *words]).json()
    measurements.append(
        {
            "seed": seed,
            "accuracy": judged["accuracy"],
            "n": judged["n"],
            "drawn_val_accuracy": trained["val_accuracy"],
            "train_seconds": trained["seconds"],
            "recall": {row["label"]: row["recall"] for row in judged["per_class"]},
        }
    )

recall = {label: [row["recall"][label] for row in measurements] for label in measurements[0]["recall"]}
table = Table(title=f"{RECIPE} on drawn garments, judged on real ones", title_justify="left", title_style="bold")
table.add_column("class")
for seed in seeds:
    table.add_column(f"seed {seed}", justify="right")
for label, shares in recall.items():
    table.add_row(label, *(f"{share:.1%}" for share in shares))
table.add_section()
table.add_row("all", *(f"{row['accuracy']:.2%}" for row in measurements))
_record.console.print(table)
accuracies = [row["accuracy"] for row in measurements]
record.write(
    seeds=seeds,
    n=len(seeds),
    measurements=measurements,
    summary={
        "recipe": RECIPE,
        "accuracy": _record.spread(accuracies),
        "recall": {label: _record.spread(shares) for label, shares in recall.items()},
    },
    targets=[_record.at_least("right on real test pictures, worst seed", min(accuracies), LIMIT)],
)
