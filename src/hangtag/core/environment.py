"""What other libraries find when they are loaded. `import hangtag` prepares it, so it holds in every process that uses
Hangtag, in the processes these start, and in programs that Hangtag is a part of.
"""

from __future__ import annotations

import os
import sys

# How often a thread of libgomp, PyTorch's OpenMP on Linux, looks again at a barrier before it sleeps. libgomp's own
# 300,000 keep a core busy for milliseconds: a thread that waits for one that another program has displaced takes the
# very core that one needs. 0 sleeps at once, and pays for waking up where the machine is idle. Training goes further
# while others are at work (training/contention.py). benchmarks/busy.py measures both.
SPIN_COUNT = 3_000
OPENMP = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def prepare() -> None:
    """Turn the telemetry of every dependency off, and let waiting threads sleep soon.

    The user's own settings of OpenMP stay.

    ONNX Runtime 1.31 writes a device identifier and a database of events into the user's cache and looks up a host of
    its maker's, unless its variable is set before it is loaded (its Privacy.md, "Disabling Telemetry"). OpenVINO writes
    an identifier under `~/intel` and sends events, unless its package `openvino_telemetry` cannot be imported: it then
    takes a stub of its own. DO_NOT_TRACK is what huggingface_hub (by timm) and others go by.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "1"
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if not any(name in os.environ for name in OPENMP):
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)


def waiting_threads() -> str:
    """How threads of PyTorch wait for each other in this process, for `hangtag doctor`."""
    set_here = {name: os.environ[name] for name in OPENMP if name in os.environ}
    if set_here == {"GOMP_SPINCOUNT": str(SPIN_COUNT)}:
        return (
            f"GOMP_SPINCOUNT={SPIN_COUNT}: a thread that waits soon sleeps, for a machine that is busy with other work"
        )
    return f"{', '.join(f'{name}={value}' for name, value in set_here.items())}, as your environment says"
