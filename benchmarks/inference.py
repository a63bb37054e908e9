"""How quick is an answer: a bundle's ONNX, the same in int8 and on OpenVINO, plain PyTorch, and Keras?

Run: python benchmarks/inference.py --peer-python .venv-peer/bin/python --rounds 3 (two minutes a round)
The three-conv network and the shipped `default`, on two cores: milliseconds for one picture, pictures a second in
batches of 256, memory of the process. Each side in a process of its own, in turn. The int8 file is made by ONNX
Runtime's static quantisation (QDQ, calibrated on 512 training pictures); what it loses is counted on validation.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _record
from rich.table import Table

MOST_LOST = 0.001  # of validation accuracy that int8 may cost
CALIBRATION = 512


def timed(ask: Callable[[Any], Any], seconds: float) -> dict[str, float]:
    """Latency of one picture and throughput of 256 at a time, over `seconds` each."""
    import numpy as np

    pictures = np.random.default_rng(0).integers(0, 256, (2048, 28, 28)).astype(np.uint8)
    batches = [pictures[start : start + 256] for start in range(0, 2048, 256)]
    for _ in range(5):
        ask(pictures[:1]), ask(batches[0])
    times, rates = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        ask(pictures[:1])
        times.append(1e3 * (time.perf_counter() - started))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        for batch in batches:
            ask(batch)
        rates.append(2048 / (time.perf_counter() - started))
    times.sort()
    return {
        "p50_ms": statistics.median(times),
        "p99_ms": times[int(0.99 * len(times))],
        "pictures_per_s": statistics.median(rates),
    }


def onnx_side(content: Path, bundle: Path, seconds: float) -> dict[str, Any]:
    from hangtag.core import card
    from hangtag.predict.onnx import OnnxPredictor

    predictor = OnnxPredictor(content.read_bytes(), card.read(bundle))
    return timed(predictor.predict_proba, seconds)


def openvino_side(content: Path, bundle: Path, seconds: float) -> dict[str, Any]:
    from hangtag.core import card
    from hangtag.predict.openvino import OpenvinoPredictor

    predictor = OpenvinoPredictor(content.read_bytes(), card.read(bundle))
    return timed(predictor.predict_proba, seconds)


def torch_side(bundle: Path, seconds: float) -> dict[str, Any]:
    """As a user of PyTorch would write it: eval, inference_mode, fp32, channels last."""
    import torch

    from hangtag import models
    from hangtag.core.recipe import Part

    card = json.loads((bundle / "card.json").read_text(encoding="utf-8"))
    part = dict(card["recipe"]["model"])
    model = models.create(Part(part.pop("name"), **part), len(card["class_names"]), 1, card["size"]).eval()
    model = model.to(memory_format=torch.channels_last)

    def ask(pictures: Any) -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(pictures)[:, None].float() / 255).softmax(1).numpy()

    return timed(ask, seconds)


def quantise(bundle: Path, target: Path) -> dict[str, float]:
    """Write the int8 file; what it and the original score on the validation pictures."""
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static, shape_inference

    from hangtag import data
    from hangtag.core import card
    from hangtag.data.split import stratified
    from hangtag.predict.onnx import INPUT, OnnxPredictor
    from hangtag.predict.openvino import OpenvinoPredictor

    training, validation = stratified(data.find().training())

    class Reader(CalibrationDataReader):
        batches = iter([{INPUT: training.images[start : start + 64]} for start in range(0, CALIBRATION, 64)])

        def get_next(self) -> Any:
            return next(self.batches, None)

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        shape_inference.quant_pre_process(str(bundle / "model.onnx"), str(prepared))
        onnxruntime.set_default_logger_severity(3)
        quantize_static(str(prepared), str(target), Reader(), quant_format=QuantFormat.QDQ, per_channel=True)
    scores = {}
    sides = {
        "fp32": OnnxPredictor((bundle / "model.onnx").read_bytes(), card.read(bundle)),
        "int8": OnnxPredictor(target.read_bytes(), card.read(bundle)),
        "openvino": OpenvinoPredictor((bundle / "model.onnx").read_bytes(), card.read(bundle)),
    }
    for name, predictor in sides.items():
        answers = predictor.predict_proba(validation.images)
        scores[name] = float((answers.argmax(1) == validation.labels).mean())
    return scores


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--peer-python", help="python of an environment with peers/requirements.txt")
parser.add_argument("--rounds", type=int, default=3, help="times each side is run, in turn")
parser.add_argument("--seconds", type=float, default=5.0, help="how long each way is asked")
parser.add_argument("--quick", action="store_true", help="a try: no result")
parser.add_argument("--side", nargs="+", help=argparse.SUPPRESS)  # this script, as the process that is measured
options = parser.parse_args()

if options.side:
    kind, *paths = options.side
    found: dict[str, Any] = {
        "onnx": lambda: onnx_side(Path(paths[0]), Path(paths[1]), options.seconds),
        "openvino": lambda: openvino_side(Path(paths[0]), Path(paths[1]), options.seconds),
        "torch": lambda: torch_side(Path(paths[0]), options.seconds),
        "quantise": lambda: quantise(Path(paths[0]), Path(paths[1])),
    }[kind]()
    print(json.dumps(found))
    sys.exit()

record = _record.Record("inference", __doc__.partition("\n")[0], quick=options.quick)
seconds = 0.5 if options.quick else options.seconds
measurements: list[dict[str, Any]] = []
lost: dict[str, Any] = {}
versions: dict[str, str] = {}
with tempfile.TemporaryDirectory() as folder:
    trained = Path(folder) / "three_conv"
    _record.run([_record.HANGTAG, "train", "three_conv", "--epochs", "2", "--json", "--out", trained])
    bundles = {"three_conv": trained / "bundle", "default": _record.ROOT / "src/hangtag/weights/default"}
    for name, bundle in bundles.items():
        int8 = Path(folder) / f"{name}-int8.onnx"
        lost[name] = _record.run([sys.executable, __file__, "--side", "quantise", bundle, int8]).json()
    for _ in range(1 if options.quick else options.rounds):
        for name, bundle in bundles.items():
            files = {"fp32": bundle / "model.onnx", "int8": Path(folder) / f"{name}-int8.onnx"}
            sides = {way: ["onnx", file, bundle] for way, file in files.items()}
            sides |= {"openvino": ["openvino", files["fp32"], bundle], "torch": ["torch", bundle]}
            for way, words in sides.items():
                child = _record.run([sys.executable, __file__, "--seconds", str(seconds), "--side", *words])
                size = files[way].stat().st_size / 1e6 if way in files else None
                measurements.append(
                    {"network": name, "side": way, **child.json(), "size_mb": size, "peak_rss_mb": child.peak_rss_mb}
                )
        if options.peer_python:
            script = Path(__file__).parent / "peers" / "keras_inference.py"
            child = _record.run([options.peer_python, script, "--seconds", seconds])
            for line in child.stdout.splitlines():
                said = json.loads(line)
                versions = said.pop("versions")
                said["side"] = f"keras {said.pop('way')}"
                measurements.append({"network": "three_conv", **said})

figures = ("p50_ms", "p99_ms", "pictures_per_s", "peak_rss_mb", "size_mb")
summary: dict[str, Any] = {"validation_accuracy": lost, "sides": {}}
table = Table(title="one picture, and many", title_justify="left", title_style="bold")
for head in ("network", "", "p50 ms", "p99 ms", "pictures a second", "peak MB", "file MB"):
    table.add_column(head, justify="left" if head in ("network", "") else "right")
for key in dict.fromkeys((row["network"], row["side"]) for row in measurements):
    same = [row for row in measurements if (row["network"], row["side"]) == key]
    found = {
        figure: _record.spread([row[figure] for row in same if row[figure] is not None])
        for figure in figures
        if same[0][figure] is not None
    }
    summary["sides"][" ".join(key)] = {"network": key[0], "side": key[1], **found}
    p50, p99, rate, peak = (found[figure]["median"] for figure in figures[:4])
    size = f"{found['size_mb']['median']:.2f}" if "size_mb" in found else "–"
    table.add_row(*key, f"{p50:.3f}", f"{p99:.3f}", f"{rate:,.0f}", f"{peak:.0f}", size)
_record.console.print(table)
for name, scores in lost.items():
    for way in ("int8", "openvino"):
        _record.console.print(f"{name}: {way} loses {100 * (scores['fp32'] - scores[way]):.2f} points in validation")
sides = summary["sides"]
targets = [_record.at_most("default: median of one picture", sides["default fp32"]["p50_ms"]["median"], 2.0, " ms")]
if "three_conv keras predict" in sides:
    keras = sides["three_conv keras predict"]["pictures_per_s"]["median"]
    for way in ("fp32", "openvino"):
        ratio = sides[f"three_conv {way}"]["pictures_per_s"]["median"] / keras
        what = f"three_conv on {'ONNX Runtime' if way == 'fp32' else 'OpenVINO'}: pictures a second, to Keras predict"
        targets.append(_record.at_least(what, ratio, 3.0, " times"))
targets += [
    _record.at_most(f"{name}: validation accuracy lost by {way}", scores["fp32"] - scores[way], MOST_LOST)
    for name, scores in lost.items()
    for way in ("int8", "openvino")
]
record.write(
    seeds=[0], n=options.rounds, measurements=measurements, summary=summary, targets=targets, versions=versions
)
