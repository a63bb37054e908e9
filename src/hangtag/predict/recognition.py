"""What images show, and how that prints: in a terminal, a notebook and JSON."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from hangtag.core.decision import WORDS, Status
from hangtag.core.errors import HangtagError
from hangtag.core.printable import printable

_SIDE = 112  # pixels of a thumbnail, shown at half of that


@dataclass(frozen=True)
class Recognition:
    """What one image shows.

    Args:
        path: the file, or None if it was no file.
        label: the likeliest class, or None if there was an error.
        confidence: its probability in [0, 1]; 0 if there was an error.
        top: (label, confidence) of the likeliest classes, the first of them included.
        error: why there is no label, or None.
        pixels: what the model saw, or None.
        frames_ignored: frames of an animation after the first.
        member: which member of the bundle it was; None in a bundle without members.
        status: "accept" if the answer can be acted on, "unsure" if a person should look, "none_of_these" if the image
            shows none of the classes, whatever its label; None if there was an error.
        why: the reason for the status, in a sentence.
        known: how much the image looks like any of the classes, in [0, 1]; None of a model that does not say.
    """

    path: str | None
    label: str | None
    confidence: float
    top: tuple[tuple[str, float], ...] = ()
    error: HangtagError | None = None
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)
    frames_ignored: int = 0
    member: str | None = None
    status: Status | None = None
    why: str = ""
    known: float | None = None

    @property
    def doubt(self) -> str:
        """What people read of a status that is no plain `accept`; empty for that, and for an error."""
        return "" if self.status in (None, "accept") else WORDS[self.status]

    def to_dict(self) -> dict[str, Any]:
        """`{path, label, confidence, top: [{label, confidence}], error, status, why}`.

        `error` is null or `{code, message}`. Of an animation, which is judged by its first frame, also
        `frames_ignored`; of a bundle with members `member`; of a model that says so `known`.
        """
        return {
            "path": self.path,
            "label": self.label,
            "confidence": self.confidence if self.label is not None else None,
            "top": [{"label": label, "confidence": confidence} for label, confidence in self.top],
            "error": self.error.to_dict() if self.error else None,
            "status": self.status,
            "why": self.why,
            **({"frames_ignored": self.frames_ignored} if self.frames_ignored else {}),
            **({"member": self.member} if self.member else {}),
            **({"known": self.known} if self.known is not None else {}),
        }

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        if self.error is not None:
            return printable(f"{where}not recognised: {self.error.message}")
        others = ", ".join(f"{label} {confidence:.1%}" for label, confidence in self.top[1:])
        return printable(
            f"{where}{self.label} {self.confidence:.1%}"
            + (f", {self.doubt}" if self.doubt else "")
            + (f" (then {others})" if others else "")
        )

    def __repr__(self) -> str:
        return f"<{self}>"

    def _repr_html_(self) -> str:
        return Recognitions([self])._repr_html_()


class Recognitions(Sequence[Recognition]):
    """Recognitions of several images, in the order the images were given."""

    def __init__(self, items: Iterable[Recognition]) -> None:
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Recognition: ...
    @overload
    def __getitem__(self, index: slice) -> Recognitions: ...
    def __getitem__(self, index: int | slice) -> Recognition | Recognitions:
        return Recognitions(self._items[index]) if isinstance(index, slice) else self._items[index]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each one's `to_dict()`: what `hangtag recognise --json` prints."""
        return [item.to_dict() for item in self._items]

    def __repr__(self) -> str:
        shown = [str(item) for item in self._items[:20]]
        more = [f"... and {len(self) - 20:,} more"] if len(self) > 20 else []
        return "\n".join([f"<{len(self):,} recognitions>", *shown, *more])

    def _repr_html_(self) -> str:
        rows = "".join(_row(item) for item in self._items[:100])
        more = f"<p>… and {len(self) - 100:,} more</p>" if len(self) > 100 else ""
        columns = ("", "picture", "label", "", "runners-up")
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in columns)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _row(item: Recognition) -> str:
    path = _escape(Path(item.path).name if item.path else "")
    if item.error is not None:
        return f"<tr><td></td><td>{path}</td><td colspan=3><i>{_escape(item.error.message)}</i></td></tr>"
    others = ", ".join(f"{_escape(label)}&nbsp;{confidence:.1%}" for label, confidence in item.top[1:])
    label = f"<b>{_escape(str(item.label))}</b>" + (f"<br>{item.doubt}" if item.doubt else "")
    cells = [_thumbnail(item.pixels), path, label, f"{item.confidence:.1%}", others]
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _thumbnail(pixels: NDArray[np.uint8] | None) -> str:
    """What the model saw, as an inline PNG."""
    if pixels is None:
        return ""
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE))
    image.save(file, "PNG")
    code = base64.b64encode(file.getvalue()).decode()
    return f"<img width=56 height=56 style='image-rendering:pixelated' src='data:image/png;base64,{code}'>"
