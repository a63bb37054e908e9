"""A run that is not at its end as a bundle: its best weights so far, in a folder that appears whole.

`unfinished/epoch-000003/` holds a card that says so, and `weights.safetensors`; a graph would take seconds of every
epoch. Two are kept: whoever has found one can still read it when the next appears.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.files import new_folder, sweep
from hangtag.core.paths import UNFINISHED, epoch_of, unfinished_in
from hangtag.export import bundle

if TYPE_CHECKING:
    from hangtag.training.loop import Snapshot

KEPT = 2


def keep(run: Path, card: Card, snapshot: Snapshot) -> None:
    """Put what an epoch ended with into the folder of its run, if no epoch before was better.

    Args:
        run: the folder of the run, owned by the caller.
        card: what is known from the start; `training` may hold device and precision.
        snapshot: the epoch's end.

    Raises:
        HangtagError: `storage_*`; what was kept before is then still there.
    """
    newest = unfinished_in(run)
    if newest and not snapshot.improved:
        return
    last = snapshot.history[-1]
    folder = run / UNFINISHED / f"epoch-{last['epoch']:06d}"
    if newest and epoch_of(newest) >= last["epoch"]:  # it was killed after this, and went back: the same weights
        return
    judged = {"n": card.data["validation"], "accuracy": last["val_accuracy"], "loss": last["val_loss"]}
    best = last["epoch"] if snapshot.improved and last["val_loss"] is not None else None
    facts = {"seconds": round(last["seconds"], 2), "epochs": last["epoch"], "best_epoch": best, **card.training}
    start = {"start": snapshot.start} if snapshot.start else {}
    found = dataclasses.replace(
        card,
        unfinished=True,
        normalise={"mean": snapshot.mean, "std": snapshot.std},
        params=snapshot.params,
        metrics={"validation": judged} if last["val_loss"] is not None else {},
        training={**facts, **start, "history": snapshot.history},
        created=bundle.now(),
    )
    with new_folder(folder) as temporary:
        cards.seal(found, temporary, {cards.WEIGHTS: snapshot.safetensors()})
    older = sorted((path for path in folder.parent.glob("epoch-*") if epoch_of(path)), key=epoch_of)
    for path in older[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def sweep_leftovers(run: Path) -> None:
    """Delete what killed processes left half written; the caller owns the folder."""
    sweep(run / UNFINISHED, owned=True)


def clear(run: Path) -> None:
    """The run is at its end: its bundle has taken the place of what was kept."""
    shutil.rmtree(run / UNFINISHED, ignore_errors=True)
