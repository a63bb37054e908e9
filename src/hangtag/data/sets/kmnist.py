"""Kuzushiji-MNIST: cursive Japanese characters, 28x28. Read from four IDX files of yours, gzipped or plain.

Source: Clanuwat et al. 2018, arXiv:1812.01718; http://codh.rois.ac.jp/kmnist/ (CC BY-SA 4.0).
"""

from __future__ import annotations

from pathlib import Path

from hangtag.core.types import Dataset
from hangtag.data.idx_folder import open_idx_folder
from hangtag.data.sets import Progress, only_28_grey, register

CLASS_NAMES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@register("kmnist", source="Kuzushiji-MNIST: cursive Japanese characters (arXiv:1812.01718).", licence="CC BY-SA 4.0.")
def kmnist(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The set in a folder; any well-formed pair of files will do, save Fashion-MNIST's own."""
    only_28_grey("kmnist", size, colour)
    return open_idx_folder("kmnist", CLASS_NAMES, path)
