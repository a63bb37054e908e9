"""Makes a trained bundle part of the package, or of the repository's `weights/`.

Reads the test set once, writes what it said into the card, leaves out what recognition does not need.

Run: hangtag train half_hour --out runs/default && python benchmarks/ship.py runs/default default
     python benchmarks/ship.py runs/ensemble best_ensemble --folder weights
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from rich.console import Console

import hangtag
from hangtag.core import card as cards
from hangtag.export import bundle
from hangtag.predict.bundle import open_bundle

WEIGHTS = Path(hangtag.__file__).parent / "weights"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("name")
    parser.add_argument("--folder", type=Path, default=WEIGHTS, help="where bundles lie [default: the package]")
    arguments = parser.parse_args()
    evaluation = hangtag.evaluate(arguments.bundle)
    scores = {"n": evaluation.n, **evaluation.scores, "accuracy_interval": list(evaluation.accuracy_interval)}
    opened = open_bundle(arguments.bundle)
    card = replace(opened.card, metrics={**opened.card.metrics, "test": scores})
    bundle.write(card, arguments.folder / arguments.name, onnx=opened.files[cards.ONNX])
    Console().print(evaluation)


if __name__ == "__main__":
    main()
