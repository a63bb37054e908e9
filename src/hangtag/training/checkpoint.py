"""Checkpoints that are whole or absent, checked when read, and never pickle.

`checkpoints/step-000001234/` holds `state.safetensors` (every tensor), `state.json` (every number) and `manifest.json`
(SHA-256 of the two). A folder appears by rename after all its files are on disk. Two are kept: should the newest be
damaged, the one before it serves.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from hangtag.core.errors import HangtagError
from hangtag.core.files import new_folder, read_regular, sweep

FORMAT = 2
KEPT = 2
_NAME = re.compile(r"step-\d{9,}")


@dataclass
class Checkpoint:
    """State at the end of a step.

    Args:
        step: steps done.
        tensors: by name, on the CPU.
        numbers: JSON types.
    """

    step: int
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Add a checkpoint to `folder` and delete all but the newest `KEPT`.

    Those of later steps go too: there are some only where they were damaged and the run went back behind them.

    Raises:
        HangtagError: `checkpoint_failed`; earlier checkpoints are then untouched.
    """
    try:
        with new_folder(folder / f"step-{checkpoint.step:09d}") as temporary:
            contents = {
                "state.safetensors": packed(checkpoint.tensors),
                "state.json": json.dumps({"format": FORMAT, "step": checkpoint.step, **checkpoint.numbers}).encode(),
            }
            manifest = {}
            for name, content in contents.items():
                (temporary / name).write_bytes(content)
                manifest[name] = hashlib.sha256(content).hexdigest()
            (temporary / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    except HangtagError as error:
        cure = "earlier checkpoints are kept, the same command goes on from them"
        raise HangtagError("checkpoint_failed", f"checkpoint not saved: {error.message} ({cure})") from error
    found = _found(folder)
    reached = [path for path in found if int(path.name.removeprefix("step-")) <= checkpoint.step]
    for path in set(found) - set(reached[-KEPT:]):
        shutil.rmtree(path, ignore_errors=True)


def packed(tensors: dict[str, Tensor]) -> bytes:
    """Tensors by name as the content of a safetensors file."""
    # Copies: the format refuses tensors that share memory, as tied weights do.
    return save({name: tensor.cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()})


def read_newest(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None; damaged ones are named through `warn` and passed over.

    The caller must own `folder`: leftovers of a run that was killed while writing are deleted.

    Raises:
        HangtagError: `checkpoint_incompatible`, if the newest whole one was written by another version.
    """
    sweep(folder, owned=True)
    found = _found(folder)
    while found:
        path = found.pop()
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            cure = f"going back to {found[-1].name}" if found else "there is none before it, starting again"
            warn(f"checkpoint {path.name} is damaged ({reason}): {cure}")
    return None


def _found(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def _read(path: Path) -> Checkpoint:
    manifest = json.loads(read_regular(path / "manifest.json"))
    contents = {}
    for name in ("state.safetensors", "state.json"):
        contents[name] = read_regular(path / name, -1)
        if hashlib.sha256(contents[name]).hexdigest() != manifest[name]:
            raise ValueError(f"{name} does not have its digest")
    numbers = json.loads(contents["state.json"])
    if (version := numbers.pop("format")) != FORMAT:
        raise HangtagError(
            "checkpoint_incompatible",
            f"{path} has format {version!r}, this Hangtag reads format {FORMAT}: choose another --out",
        )
    return Checkpoint(numbers.pop("step"), load(contents["state.safetensors"]), numbers)


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimiser's state as named tensors and plain numbers."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, entries in optimiser.state_dict()["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{key}"] = value.detach().cpu()
            else:
                numbers[f"{index}.{key}"] = value
    return tensors, numbers


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Take up what `flatten_optimiser` gave. Parameter groups come from the recipe and are left as they are."""
    state: dict[int, dict[str, Any]] = {}
    for name, value in {**tensors, **numbers}.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
