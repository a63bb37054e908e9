"""The proof that an exported model answers as the trained one does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hangtag.core.errors import HangtagError
from hangtag.core.types import Pictures, Predictor

# fp32 against fp32 with sums in another order: a few 1e-7 a layer. Anything near 1e-3 is another function.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Parity:
    """How an exported model compares with the one that was trained, on real pictures.

    Args:
        n: pictures compared.
        max_abs_difference: largest difference of any probability.
        agreement: share of pictures that get the same label, 0..1.
    """

    n: int
    max_abs_difference: float
    agreement: float

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


def compare(exported: Predictor, trained: Predictor, images: Pictures, tolerance: float = TOLERANCE) -> Parity:
    """Both on the same real pictures; no probability may differ by more than `tolerance`.

    Raises:
        HangtagError: `bundle_parity` if they are not the same function: nothing that differs is ever bundled.
    """
    ours, theirs = trained.predict_proba(images), exported.predict_proba(images)
    parity = Parity(
        n=len(images),
        max_abs_difference=float(np.abs(ours - theirs).max()),
        agreement=float((ours.argmax(1) == theirs.argmax(1)).mean()),
    )
    if not parity.max_abs_difference <= tolerance:  # a NaN fails too
        raise HangtagError(
            "bundle_parity",
            f"the exported model differs from the trained one by {parity.max_abs_difference:.2g} on real pictures; "
            f"other versions of the packages that export may help (constraints.txt holds those that work)",
        )
    return parity
