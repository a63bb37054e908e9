"""Does a network that has seen only drawn garments recognise real ones? It should be right more often than not.

Run: python benchmarks/drawn.py (needs hangtag[train] and the real test pictures; a minute or two on two cores)
Prints one JSON object: test accuracy on the real 10,000 for each seed, and per class for the last.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from hangtag import data, experiment, predict, recipes
from hangtag.evaluation import judge

SEEDS = (0, 1, 2)

accuracies, evaluation = [], None
for seed in SEEDS:
    with tempfile.TemporaryDirectory() as folder:
        run = experiment.run(replace(recipes.create("three_conv"), seed=seed), data="drawn", out=Path(folder) / "run")
        evaluation = judge(predict.load(run.bundle), data.find(name="fashion-mnist").test())
        accuracies.append(evaluation.to_dict()["accuracy"])
per_class = {row["label"]: round(row["recall"], 3) for row in evaluation.to_dict()["per_class"]}
summary = {"recipe": "three_conv", "trained_on": "drawn, 5,500 pictures", "judged_on": "Fashion-MNIST test, 10,000"}
print(
    json.dumps(
        summary | {"seeds": SEEDS, "accuracy": accuracies, "mean": statistics.mean(accuracies), "recall": per_class},
        indent=2,
    )
)
