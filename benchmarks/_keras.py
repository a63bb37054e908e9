"""The peer's side of a comparison: starts it in its own environment, reads what it says."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import _record

SCRIPT = Path(__file__).parent / "peers" / "keras_three_conv.py"
PROBE_EPOCHS = 2


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peer-python", required=True, help="python of an environment with peers/requirements.txt")
    parser.add_argument("--rounds", type=int, default=1, help="times each side is run, in turn")
    parser.add_argument(
        "--jit", choices=("choose", "on", "off"), default="choose", help="the peer's XLA; choose tries both"
    )
    parser.add_argument("--quick", action="store_true", help="a try on few pictures: no result")


def train(
    python: str, *, batch: int, epochs: int, precision: str, jit: str, seed: int = 0, test: str = "last", quick: bool
) -> dict[str, Any]:
    """One run of the peer: its last line, with `epochs` (a list) and the measures taken from outside."""
    from hangtag.data.places import find_folder

    epochs_seen = []

    def on_line(line: str) -> None:
        said = json.loads(line)
        if said.pop("event") == "epoch":
            epochs_seen.append(said)
            _record.console.print(
                f"  epoch {said['epoch']:>2}  {said['seconds']:7.1f} s  validation {said['val_accuracy']:.2%}",
                style="dim",
            )

    _record.console.print(f"keras {precision}, XLA {jit}, batch {batch}, {epochs} epochs")
    with tempfile.TemporaryDirectory() as folder:
        command = [python, SCRIPT, "--data", find_folder("fashion-mnist", None)[0], "--export", folder, "--test", test]
        command += ["--batch", batch, "--epochs", epochs, "--precision", precision, "--jit", jit, "--seed", seed]
        child = _record.run(command + (["--limit", 2000] if quick else []), on_line=on_line)
    end = json.loads(child.stdout.splitlines()[-1])
    end.pop("event")
    return {
        "side": "keras",
        "precision": precision,
        "jit": jit,
        "batch": batch,
        "seed": seed,
        **end,
        "epochs": epochs_seen,
        "outside": {"wall_s": child.wall_s, "cpu_s": child.cpu_s, "peak_rss_mb": child.peak_rss_mb},
    }


def tried(python: str, *, batch: int, epochs: int, precision: str, jit: str, quick: bool) -> dict[str, Any]:
    """A short run, and how long one of all `epochs` would take by it.

    Compiling is paid once, so the first epoch alone would judge wrongly. What counts is the time of all `epochs`: the
    end of the first, and the rest of them, each as long as the second.
    """
    probe = train(python, batch=batch, epochs=PROBE_EPOCHS, precision=precision, jit=jit, quick=quick)
    first, second = (epoch["seconds"] for epoch in probe["epochs"])
    return {**probe, "probe": True, "expected_seconds": first + (epochs - 1) * (second - first)}


def quicker_jit(
    python: str, *, batch: int, epochs: int, precision: str, quick: bool
) -> tuple[str, list[dict[str, Any]]]:
    """Whether XLA makes this peer quicker, and the short runs that say so, the quicker one first."""
    probes = [
        tried(python, batch=batch, epochs=epochs, precision=precision, jit=jit, quick=quick) for jit in ("on", "off")
    ]
    probes.sort(key=lambda probe: float(probe["expected_seconds"]))
    return str(probes[0]["jit"]), probes
