"""What this machine offers a run: device, precision."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import Literal

import torch

from hangtag.core.errors import HangtagError
from hangtag.core.hardware import cpu_name


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto` is CUDA, else Apple's MPS, else the CPU.

    Raises:
        HangtagError: `usage_device` if this machine has none such.
    """
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    if name == "auto":
        return torch.device(available[0])
    kind, numbered, index = name.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if kind not in available or (numbered and index not in map(str, range(count))):
        raise HangtagError("usage_device", f"this machine has no device {name!r}; it has {', '.join(available)}")
    return torch.device(name)


def fast_bf16(device: torch.device) -> bool:
    """Whether the hardware is built for bfloat16: tensor cores, or AMX tiles on the CPU.

    AVX-512 alone has bf16 dot products, but they lose to fp32 at these sizes.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        supported = getattr(torch.cpu, "_is_amx_tile_supported", None)  # private: absent in some releases
        return bool(supported and supported())
    return False


def choose_precision(wanted: str, model_prefers: str | None, device: torch.device) -> Literal["fp32", "bf16"]:
    """The precision a run computes in: what the recipe says, or for "auto" what this model runs fastest in here."""
    if wanted == "auto":
        return "bf16" if model_prefers != "fp32" and fast_bf16(device) else "fp32"
    return "bf16" if wanted == "bf16" else "fp32"


def describe(device: torch.device) -> str:
    """The device in words, e.g. "CPU Intel Xeon, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU {cpu_name()}, {torch.get_num_threads()} threads"


def keep_memory() -> None:
    """Let glibc keep what is freed: a step's maps would otherwise go back to the system and be cleared for the next.

    Of `minutes` on one core 7,000 page faults and 11% of a step, of the same network twice as wide 5% (docs/log.md).
    Without glibc nothing is done.
    """
    if sys.platform != "linux":
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # numbers of mallopt(3)
    with contextlib.suppress(OSError, AttributeError):  # musl has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 1 << 24)
        mallopt(mmap_threshold, 1 << 25)  # bytes, the most glibc takes
