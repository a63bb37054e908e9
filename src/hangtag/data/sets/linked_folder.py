"""Your own images, as `image_folder` reads them, links followed wherever they lead: what `--follow-links` asks for."""

from __future__ import annotations

from pathlib import Path

from hangtag.core.types import Dataset
from hangtag.data.sets import Progress, register
from hangtag.data.sets.image_folder import open_image_folder


@register("linked_folder")
def linked_folder(path: Path | None, size: int, colour: bool, progress: Progress) -> Dataset:
    """The images below `path` and below what links in it lead to, each folder once."""
    return open_image_folder(path, size, colour, progress, follow_links=True)
