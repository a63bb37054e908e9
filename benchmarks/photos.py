"""How well is a catalogue of one's own recognised: from what ImageNet taught, from scratch, and by the quick ways?

Run: python benchmarks/photos.py --data PATH (40 minutes; PATH holds train/ and validation/ with a folder per class)
Measured on "clothing dataset (small)" by Alexey Grigorev (CC0): 3,068 photos that people took of their clothes at home
to learn from, 341 to be judged on, ten classes; each recipe's own validation pictures are cut from the former. The same
command goes on after a run that is finished.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import _record
from rich.table import Table

WAYS: dict[str, list[str]] = {
    "photos": ["photos"],
    "photos, from scratch": ["photos", "--set", "start=null"],
    "minutes": ["minutes"],
    "hog_svm": ["hog_svm"],
}

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--data", required=True, help="a folder of class folders, with a half for the test")
parser.add_argument("--seeds", default="0,1,2", help="of `photos`; the others are trained with the first alone")
parser.add_argument("--work", type=Path, default=_record.ROOT / "runs" / "benchmarks" / "photos")
parser.add_argument("--quick", action="store_true", help="a try, one epoch of one seed: no result")
options = parser.parse_args()
seeds = [0] if options.quick else [int(seed) for seed in options.seeds.split(",")]
record = _record.Record("photos", __doc__.partition("\n")[0], quick=options.quick)

measurements: list[dict[str, Any]] = []
for name, words in WAYS.items():
    for seed in seeds if name == "photos" else seeds[:1]:
        out = options.work / f"{'quick-' if options.quick else ''}{name.replace(', ', '-').replace(' ', '-')}-{seed}"
        epochs = ["--epochs", "1"] if options.quick and name != "hog_svm" else []
        about = ["--data", options.data, "--seed", str(seed), "--out", str(out), "--json"]
        trained = _record.run([_record.HANGTAG, "train", *words, *about, *epochs]).json()
        judged = _record.run([_record.HANGTAG, "evaluate", trained["bundle"], "--data", options.data, "--json"]).json()
        measurements.append(
            {
                "way": name,
                "seed": seed,
                "commit": json.loads((Path(trained["bundle"]) / "card.json").read_text())["commit"],
                "val_accuracy": trained["val_accuracy"],
                "seconds": trained["seconds"],
                "peak_rss_mb": trained["peak_rss_mb"],
                "file_mb": (Path(trained["bundle"]) / "model.onnx").stat().st_size / 1e6,
                **{key: judged[key] for key in ("n", "accuracy", "loss", "f1")},
            }
        )

summary: dict[str, Any] = {}
table = Table(title="a catalogue of one's own", title_justify="left", title_style="bold")
for head in ("", "accuracy", "f1", "seconds", "MB", "n"):
    table.add_column(head, justify="left" if not head else "right")
for name in WAYS:
    rows = [row for row in measurements if row["way"] == name]
    found = {key: _record.spread([row[key] for row in rows]) for key in ("accuracy", "f1", "val_accuracy")}
    found |= {key: statistics.median(row[key] for row in rows) for key in ("seconds", "file_mb", "peak_rss_mb")}
    summary[name] = found | {"n": len(rows)}
    cells = [f"{found['accuracy']['mean']:.1%}", f"{found['f1']['mean']:.3f}", f"{found['seconds']:.0f}"]
    table.add_row(name, *cells, f"{found['file_mb']:.1f}", str(len(rows)))
_record.console.print(table)
record.write(seeds=seeds, n=len(seeds), measurements=measurements, summary={"ways": summary, "pictures": judged["n"]})
