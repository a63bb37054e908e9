"""The published three-conv network, trained as a user of Keras would. Runs alone, in its own environment.

Run: .venv-peer/bin/python benchmarks/peers/keras_three_conv.py --data FOLDER (of the four .gz files)
Prints JSON lines: one when an epoch ends, one at the end. Seconds count from the start of the process; reading the test
accuracy is left out of them. No handicap: arrays go to `fit` whole, scaled once; XLA and bfloat16 are options.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

PARAMS = 206_026
HELD_OUT = 500  # validation pictures per class


def age_s() -> float:
    """Seconds since this process started, on a clock that only runs forward; 10 ms fine (Linux)."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


def peak_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def say(event: str, **values: object) -> None:
    print(json.dumps({"event": event, **values}), flush=True)


def read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28, 1) uint8 and (N,) int64."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return (
        np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1),
        np.frombuffer(labels, np.uint8, offset=8).astype(np.int64),
    )


def scaled(images: np.ndarray) -> np.ndarray:
    return np.divide(images, 255, dtype=np.float32)  # in one step: `astype` then `/` would hold it twice


parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--data", type=Path, required=True, help="folder of the four .gz files")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
parser.add_argument("--jit", choices=("auto", "on", "off"), default="auto", help="XLA; auto is what Keras chooses")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--test", choices=("each", "last"), default="last", help="epochs after which test accuracy is read")
parser.add_argument("--export", type=Path, metavar="FOLDER", help="save and export the trained model there")
parser.add_argument("--limit", type=int, help="train on the first N pictures only: a try, not a measurement")
options = parser.parse_args()

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402  its import reads the environment
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402

imported_s = age_s()
keras.utils.set_random_seed(options.seed)
if options.precision == "bf16":
    keras.mixed_precision.set_global_policy("mixed_bfloat16")

images, labels = read(options.data, "train")
held_out = np.zeros(len(labels), bool)
for label in range(10):  # the last 500 pictures of every class validate
    held_out[np.flatnonzero(labels == label)[-HELD_OUT:]] = True
chosen = np.flatnonzero(~held_out)[: options.limit]
train = scaled(images[chosen]), labels[chosen]
validation = scaled(images[held_out]), labels[held_out]
del images

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),  # 28 -> 26
        layers.MaxPooling2D(),  # 26 -> 13
        layers.Conv2D(64, 3, activation="relu"),  # 13 -> 11
        layers.MaxPooling2D(),  # 11 -> 5
        layers.Conv2D(64, 3, activation="relu"),  # 5 -> 3
        layers.Flatten(),  # 3 * 3 * 64 = 576
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax", dtype="float32"),  # probabilities need more than bf16's 8 bits
    ]
)
if model.count_params() != PARAMS:
    raise SystemExit(f"the network has {model.count_params():,} parameters, not {PARAMS:,}")
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
    jit_compile={"auto": "auto", "on": True, "off": False}[options.jit],
)


def test_scores() -> dict[str, float]:
    pictures, truth = read(options.data, "t10k")
    loss, accuracy = model.evaluate(scaled(pictures), truth, batch_size=options.batch, verbose=0)
    return {"test_accuracy": float(accuracy), "test_loss": float(loss)}


class Report(keras.callbacks.Callback):
    """Tells of each epoch as it ends, and keeps account of the time that telling took."""

    uncounted_s = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls it."""
        ended = age_s()
        scores = {"val_accuracy": logs["val_accuracy"], "val_loss": logs["val_loss"], "loss": logs["loss"]}
        if options.test == "each":
            scores |= test_scores()
        say("epoch", epoch=epoch + 1, seconds=ended - self.uncounted_s, **{key: float(x) for key, x in scores.items()})
        self.uncounted_s += age_s() - ended


report = Report()
model.fit(
    *train, batch_size=options.batch, epochs=options.epochs, validation_data=validation, callbacks=[report], verbose=0
)
result: dict[str, float | str] = {"seconds": age_s() - report.uncounted_s, "peak_rss_trained_mb": peak_rss_mb()}

if options.export:
    options.export.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(sys.stderr):  # export prints a signature
        started = age_s()
        model.save(options.export / "model.keras")
        result["save_seconds"] = age_s() - started
        started = age_s()
        try:
            model.export(options.export / "model.onnx", format="onnx", verbose=False)
            result["exported"] = "onnx"
        except Exception as error:  # whatever its missing package raises
            print(f"no ONNX: {' '.join(str(error).split())[:200]}", file=sys.stderr)
            started = age_s()  # the failed try is not the peer's to pay for
            model.export(options.export / "saved_model", format="tf_saved_model", verbose=False)
            result["exported"] = "saved_model"
        result["export_seconds"] = age_s() - started
# Everything the comparison counts is done here; the test pictures come after it.
result["total_seconds"] = sum(result.get(part, 0.0) for part in ("seconds", "save_seconds", "export_seconds"))
result["peak_rss_mb"] = peak_rss_mb()
say(
    "end",
    **result,
    **test_scores(),
    n_train=len(train[1]),
    n_validation=len(validation[1]),
    params=model.count_params(),
    import_seconds=imported_s,
    xla=bool(model.jit_compile),
    versions={"keras": keras.__version__, "tensorflow": tensorflow.__version__, "numpy": np.__version__},
)
