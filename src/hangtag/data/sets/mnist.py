"""MNIST: handwritten digits, 28x28. Read from four IDX files of yours, gzipped or plain.

Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-Based Learning Applied to Document Recognition".
"""

from __future__ import annotations

from pathlib import Path

from hangtag.core.types import Dataset
from hangtag.data.idx_folder import open_idx_folder
from hangtag.data.sets import Progress, only_28_grey, register

CLASS_NAMES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@register("mnist", source="MNIST: handwritten digits (LeCun et al. 1998).", licence="CC BY-SA 3.0.")
def mnist(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The set in a folder; any well-formed pair of files will do, save Fashion-MNIST's own."""
    only_28_grey("mnist", size, colour)
    return open_idx_folder("mnist", CLASS_NAMES, path)
