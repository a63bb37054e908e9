"""How a folder of images was read, as one line for people and as JSON: classes, counts, splits, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hangtag.core.printable import as_text, printable

Kind: TypeAlias = Literal["link", "folder", "file", "loose", "unreadable"]
_SHOWN_CLASSES = 6
_SHOWN_NAMES = 2  # of each kind of thing left out
_LONGEST_NAME = 40  # characters
_PHRASES: dict[Kind, tuple[str, str]] = {  # singular, plural; in the order of the line
    "unreadable": ("image that cannot be read", "images that cannot be read"),
    "loose": ("image outside the class folders", "images outside the class folders"),
    "link": ("link", "links"),
    "folder": ("folder", "folders"),
    "file": ("file that is no image", "files that are no images"),
}


class LeftOut(str):
    """`path: reason` of something in a folder that is not among its images, and of which kind it is."""

    __slots__ = ("kind", "name")

    kind: Kind
    name: str  # its path inside the folder

    def __new__(cls, path: Path, reason: str, kind: Kind, root: Path) -> LeftOut:
        """Bytes of a name that are no Unicode show as escapes."""
        made = super().__new__(cls, as_text(f"{path}: {reason}"))
        made.kind = kind
        made.name = as_text(path.relative_to(root).as_posix() if path.is_relative_to(root) else path)
        return made


@dataclass(frozen=True, kw_only=True)
class FolderSummary:
    """What a folder was taken for. Counts are of files; images found unreadable so far are not among them.

    Args:
        name: the data set's name.
        counts: images of each class in the folder that is trained on, those cut out of it included.
        training, validation, test: how many images.
        training_from, validation_from, test_from: the sub-folder they come from; empty for the folder itself
            (training) or where they are cut out of the training images (validation, test).
        left_out: what lies in the folder and is not among the images.
        notes: sentences about what may not be as meant.
        follow: how to ask for links to be followed; empty where they are.
    """

    name: str
    counts: Mapping[str, int]
    training: int
    training_from: str
    validation: int
    validation_from: str
    test: int
    test_from: str
    left_out: Sequence[LeftOut] = ()
    notes: Sequence[str] = ()
    follow: str = "--follow-links"

    @property
    def test_is_validation(self) -> bool:
        """Whether the validation images serve as the test too."""
        return bool(self.test_from) and self.test_from == self.validation_from

    def __str__(self) -> str:
        """One line."""
        parts = [
            f"{self.training:,} training{_from(self.training_from)}",
            f"{self.validation:,} validation{_from(self.validation_from) or ' (cut out of training)'}",
        ]
        if not self.test_is_validation:
            parts.append(f"{self.test:,} test{_from(self.test_from) or ' (a tenth, set apart)'}")
        line = f"{_short(self.name)}: {self._classes()}; {' + '.join(parts)} images"
        return printable("; ".join([line, *self.notes, self._left_out()]))

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        splits = {
            "training": {"n": self.training, "from": self.training_from},
            "validation": {"n": self.validation, "from": self.validation_from},
            "test": {"n": self.test, "from": self.test_from},
        }
        return {
            "name": self.name,
            "classes": list(self.counts),
            "counts": dict(self.counts),
            **splits,
            "left_out": [str(entry) for entry in self.left_out],
            "notes": list(self.notes),
            "line": str(self),
        }

    def _classes(self) -> str:
        shown = [f"{_short(name)} {count:,}" for name, count in self.counts.items()]
        if len(shown) > _SHOWN_CLASSES:
            rest = len(shown) - _SHOWN_CLASSES + 1
            shown = [*shown[: _SHOWN_CLASSES - 1], f"and {rest:,} more"]
        return f"{len(self.counts):,} classes ({', '.join(shown)})"

    def _left_out(self) -> str:
        if not self.left_out:
            return "nothing left out"
        parts = []
        for kind, (one, many) in _PHRASES.items():
            if found := [entry for entry in self.left_out if entry.kind == kind]:
                names = [_short(entry.name) for entry in found[:_SHOWN_NAMES]] + ["..."] * (len(found) > _SHOWN_NAMES)
                parts.append(f"{len(found):,} {one if len(found) == 1 else many} ({', '.join(names)})")
                if kind == "link" and self.follow and any("out of the folder" in entry for entry in found):
                    parts[-1] += f", {self.follow} follows {'it' if len(found) == 1 else 'them'}"
        return f"left out: {', '.join(parts)}"


def counted(entries: Sequence[str]) -> str:
    """How many there are: of files, or of entries where there are links or folders among them."""
    files = all(getattr(entry, "kind", "file") not in ("link", "folder") for entry in entries)
    one, many = ("file", "files") if files else ("entry", "entries")
    return f"{len(entries):,} {one if len(entries) == 1 else many}"


def _from(folder: str) -> str:
    return f" ({_short(folder)}/)" if folder else ""


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."
