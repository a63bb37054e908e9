"""How quick the published three-conv network answers in Keras. Runs alone, in its own environment.

Run: .venv-peer/bin/python benchmarks/peers/keras_inference.py
Prints one JSON line per way of asking. Its weights are drawn: they do not matter. Pictures are scaled by a layer of the
network, as ours are by the graph.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--seconds", type=float, default=5.0, help="how long each way is asked")
options = parser.parse_args()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402  its import reads the environment
import numpy as np  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "model.keras"
    model.save(file)
    size_mb = file.stat().st_size / 1e6
compiled = tensorflow.function(model)
ways = {
    "predict": lambda pictures: model.predict(pictures, batch_size=256, verbose=0),
    "call": lambda pictures: np.asarray(model(pictures, training=False)),
    "tf.function": lambda pictures: np.asarray(compiled(pictures)),
}
pictures = np.random.default_rng(0).integers(0, 256, (2048, 28, 28, 1)).astype(np.uint8)
for name, ask in ways.items():
    one, times = pictures[:1].astype(np.float32), []
    batches = [pictures[start : start + 256].astype(np.float32) for start in range(0, 2048, 256)]
    for _ in range(5):
        ask(one), ask(batches[0])
    end = time.perf_counter() + options.seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        ask(one)
        times.append(1e3 * (time.perf_counter() - started))
    # `predict` is made for many pictures: it is given all of them at once, and cuts its own batches.
    work = [pictures.astype(np.float32)] if name == "predict" else batches
    rates, end = [], time.perf_counter() + options.seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        for some in work:
            ask(some)
        rates.append(2048 / (time.perf_counter() - started))
    times.sort()
    record = {
        "side": "keras",
        "way": name,
        "p50_ms": statistics.median(times),
        "p99_ms": times[int(0.99 * len(times))],
        "pictures_per_s": statistics.median(rates),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
        "size_mb": size_mb,
        "versions": {"tensorflow": tensorflow.__version__, "keras": keras.__version__},
    }
    print(json.dumps(record), flush=True)
