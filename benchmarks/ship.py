"""Makes a trained bundle part of the package, or of the repository's `weights/`.

Keeps its weights in sixteen bits, proved on pictures it was trained on; reads the test set once with what is shipped,
writes what it said into the card, leaves out what recognition does not need.

Run: hangtag train hour --out runs/hour && python benchmarks/ship.py runs/hour default
     hangtag train best_single --full --out runs/best_single
     python benchmarks/ship.py runs/best_single best_single --folder weights
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

import hangtag
from hangtag import data
from hangtag.core import card as cards
from hangtag.export import bundle
from hangtag.export.half import TOLERANCE, halved
from hangtag.export.parity import compare
from hangtag.predict.bundle import open_bundle
from hangtag.predict.onnx import OnnxPredictor

WEIGHTS = Path(hangtag.__file__).parent / "weights"
PROOF = 2000  # pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("name")
    parser.add_argument("--folder", type=Path, default=WEIGHTS, help="where bundles lie [default: the package]")
    arguments = parser.parse_args()
    opened = open_bundle(arguments.bundle)
    content = halved(opened.files[cards.ONNX])
    training = data.find(opened.card.data["name"]).training().images[:PROOF]
    whole, half = (OnnxPredictor(one, opened.card) for one in (opened.files[cards.ONNX], content))
    parity = compare(half, whole, training, TOLERANCE)
    card = replace(opened.card, parity={**opened.card.parity, "half": parity.to_dict()})
    with tempfile.TemporaryDirectory() as folder:
        bundle.write(card, Path(folder) / "bundle", onnx=content)
        evaluation = hangtag.evaluate(Path(folder) / "bundle")
    scores = {"n": evaluation.n, **evaluation.scores, "accuracy_interval": list(evaluation.accuracy_interval)}
    card = replace(card, metrics={**card.metrics, "test": scores})
    bundle.write(card, arguments.folder / arguments.name, onnx=content)
    Console().print(evaluation)


if __name__ == "__main__":
    main()
