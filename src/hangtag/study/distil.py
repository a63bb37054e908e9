"""Distillation: a student recipe trained to answer as its teachers do, beside them and beside itself untaught.

Source: Hinton, Vinyals & Dean 2015, arXiv 1503.02531. What is learnt is in `training.loop`, who is asked in
`training.teaching`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hangtag import data as datasets
from hangtag import experiment
from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.paths import find_bundle
from hangtag.core.recipe import NetworkRecipe, Recipe
from hangtag.evaluation.bundle import evaluate_bundle
from hangtag.experiment import Run
from hangtag.watch import Watch, lines


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """A student, its teachers, and the same recipe without them if that was asked for."""

    student: Run
    teachers: list[dict[str, Any]]  # {"bundle", "name", "val_accuracy"}; None: it may know those pictures
    plain: Run | None

    def to_dict(self) -> dict[str, Any]:
        """What `hangtag train` says of a run, with `teachers`, `teacher_val_accuracy` and `plain_val_accuracy`."""
        known = [teacher["val_accuracy"] for teacher in self.teachers if teacher["val_accuracy"] is not None]
        return {
            **dataclasses.asdict(self.student),
            "teachers": self.teachers,
            "teacher_val_accuracy": max(known) if known else None,
            "plain_val_accuracy": self.plain.val_accuracy if self.plain else None,
        }


def distil(
    teachers: Sequence[str],
    base: Recipe,
    *,
    views: int | None = None,
    plain: bool = False,
    data: str | None = None,
    out: Path | None = None,
    full: bool = False,
    device: str = "auto",
    watch: Watch | None = None,
) -> Distilled:
    """Train `base` with `teachers`.

    Args:
        teachers: bundles of the classes the student learns.
        base: the student; its `temperature` and `teacher_weight` say how it learns from them.
        views: augmented views that teachers are asked about; by default what `base` says, 0 being the plain picture.
        plain: train it without teachers too, in the folder `plain` beside the student's.
        data, out, full, device, watch: as for `experiment.run`.

    Raises:
        HangtagError: `usage_value` for a student that is no network; `bundle_*` for a teacher that does not fit; what
            `experiment.run` raises.
        KeyboardInterrupt: on Ctrl-C; the same call goes on.
    """
    if not isinstance(base, NetworkRecipe):
        raise HangtagError("usage_value", f"{base.name} does not learn from probabilities: choose a network")
    watch = watch or lines()
    if data is None:
        data = _data_of(teachers, base)
    recipe = replace(base, teachers=tuple(teachers), teacher_views=base.teacher_views if views is None else views)
    student = experiment.run(recipe, data=data, out=out, full=full, device=device, watch=watch)
    assert student.bundle is not None
    untaught = None
    if plain:
        watch.message("the same student without teachers")
        place = Path(student.bundle).parent / "plain"
        alone = replace(base, teachers=(), teacher_views=0)
        untaught = experiment.run(alone, data=data, out=place, full=full, device=device, watch=watch)
    judged = []
    for name in teachers:
        try:
            accuracy = evaluate_bundle(name, data, "val", watch.reading).accuracy
        except HangtagError as error:
            if error.code != "usage_split":
                raise
            accuracy = None
        judged.append({"bundle": name, "name": cards.read(find_bundle(name)).name, "val_accuracy": accuracy})
    return Distilled(student=student, teachers=judged, plain=untaught)


def _data_of(teachers: Sequence[str], base: NetworkRecipe) -> str | None:
    """The folder the first teacher was trained on, where it is not the data set the student's recipe names."""
    if not teachers:
        return None
    about = cards.read(find_bundle(teachers[0])).data
    name = str(about.get("name", base.data))
    if name == base.data or "place" not in about:
        return None
    return datasets.find(name=name, size=base.size, colour=base.colour, place=about["place"]).place or None
