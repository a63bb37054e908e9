"""The card of a bundle: what a trained model is, where it came from, and the digests of the files beside it.

A bundle is a folder: `card.json`, with `model.onnx` and/or `weights.safetensors`. The card carries its own digest, so
that a flipped byte in it is noticed like one in the weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular, sha256_of, write_file
from hangtag.core.recipe import MAX_SIZE
from hangtag.core.typed import check_keys, coerce

FORMAT = 2  # 2 added `calibration`; a card of format 1 is read as one that has none
LATER = 3  # 3 added `members` and `decision`; a card with neither is written as 2, which earlier versions read
READABLE = (1, FORMAT, LATER)
FILE = "card.json"
ONNX = "model.onnx"
WEIGHTS = "weights.safetensors"
MAX_BYTES = 4_000_000  # a card is a few kilobytes; a longer file is not one


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything a reader of the bundle may rely on. Only the first group is needed to recognise pictures."""

    format: int = FORMAT
    name: str
    class_names: tuple[str, ...]
    size: int  # pixels along a side
    colour: bool  # input (N, H, W, 3) if true, else (N, H, W)
    files: dict[str, Any] = field(default_factory=dict)  # name -> {"sha256", "bytes"}

    recipe: dict[str, Any] = field(default_factory=dict)
    normalise: dict[str, Any] = field(default_factory=dict)  # {"mean": [...], "std": [...]}, of pixels in [0, 1]
    params: int = 0  # trained numbers
    full: bool = False  # trained on validation pictures too
    data: dict[str, Any] = field(default_factory=dict)  # name, digest, n, split seed
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)  # seconds, epochs, device, precision, peak memory
    parity: dict[str, Any] = field(default_factory=dict)  # exported against trained, on real pictures
    calibration: dict[str, Any] = field(default_factory=dict)  # temperature, and what it was fitted on
    versions: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None
    created: str = ""
    notes: str = ""
    unfinished: bool = False  # weights of a run that is not at its end; only then is it in the file
    # Bundles in folders of these names below this one: name -> {"sha256", "bytes"} of its card.json. A bundle with
    # members holds no model itself; its other fields are those of the first. Only then is it in the file.
    members: dict[str, Any] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)  # how often it is right where it is sure: `core.decision`

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of one image as the model takes it: (H, W), or (H, W, 3) in colour."""
        return (self.size, self.size, 3) if self.colour else (self.size, self.size)

    def standing(self) -> dict[str, Any]:
        """`{"unfinished": true, "epoch", "epochs"}` of a run that is not at its end, else `{}`: for every JSON."""
        if not self.unfinished:
            return {}
        return {"unfinished": True, "epoch": self.training.get("epochs"), "epochs": self.recipe.get("epochs")}

    def unfinished_text(self) -> str:
        """The same for people, `unfinished: the weights of epoch 3 of 20`; empty for a finished model."""
        return standing_text(self.standing())


def write(card: Card, folder: Path) -> None:
    """Write `card.json` into a folder that already holds the card's files, adding their digests and its own.

    Raises:
        HangtagError: `storage_*`; a card that was there is then still there.
    """
    files = {
        name: {"sha256": sha256_of(folder / name), "bytes": (folder / name).stat().st_size}
        for name in (ONNX, WEIGHTS)
        if (folder / name).exists()
    }
    _put(dataclasses.replace(card, files=files), folder)


def seal(card: Card, folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the card's files, `contents` by name, and `card.json` with their digests into `folder`.

    Raises:
        HangtagError: `storage_*`.
    """
    files = {}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    _put(dataclasses.replace(card, files=files), folder)


def calibrate(folder: Path, calibration: dict[str, Any]) -> Card:
    """Put a temperature into the card at `folder`. The digests of the files beside it stay as they were vouched for.

    Raises:
        HangtagError: `bundle_damaged` or `bundle_incompatible`, as `read`; `storage_*`; the old card is then still
            there.
    """
    card = dataclasses.replace(read(folder), calibration=calibration)
    _put(card, folder)
    return card


def _put(card: Card, folder: Path) -> None:
    record = dataclasses.asdict(dataclasses.replace(card, format=LATER if card.members or card.decision else FORMAT))
    for later in ("unfinished", "members", "decision"):
        if not record[later]:
            del record[later]  # other cards stay as earlier versions read them
    record = json.loads(json.dumps(record))  # tuples become lists before the digest is taken
    text = json.dumps({**record, "digest": _digest(record)}, indent=1, ensure_ascii=False, allow_nan=False)
    write_file(folder / FILE, f"{text}\n".encode("utf-8", "backslashreplace"))  # half a surrogate pair: as \\udce9


def read(folder: Path) -> Card:
    """Read and check `card.json`. The files beside it are checked by whoever opens them.

    Raises:
        HangtagError: `bundle_damaged` or `bundle_incompatible`.
    """
    path = folder / FILE
    try:
        content = read_regular(path, MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise HangtagError("bundle_damaged", f"{path} is far too long to be a card")
        record = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise HangtagError(
            "bundle_damaged", f"{path} cannot be read as a card ({error}): restore it or train again"
        ) from error
    if not isinstance(record, dict):
        raise HangtagError("bundle_damaged", f"{path} is not a card")
    if record.get("format") not in READABLE:
        known = " and ".join(map(str, READABLE))
        raise HangtagError(
            "bundle_incompatible", f"{path} has format {record.get('format')!r}; this Hangtag reads {known}"
        )
    if record.pop("digest", None) != _digest(record):
        raise HangtagError("bundle_damaged", f"{path} was changed after it was written: restore it or train again")
    hints = get_type_hints(Card)
    try:
        check_keys(record, list(hints), str(path))
        values: dict[str, Any] = {
            key: value if isinstance(value, dict) and key in _DICTS else coerce(value, hints[key], key)
            for key, value in record.items()
        }
        card = Card(**values)
    except (HangtagError, TypeError) as error:
        raise HangtagError("bundle_incompatible", f"{path}: {error}") from error
    names = set(card.class_names)
    if len(names) != len(card.class_names) or len(names) < 2 or not 1 <= card.size <= MAX_SIZE:
        raise HangtagError("bundle_incompatible", f"{path}: class names or picture size make no sense")
    if not all(isinstance(scores, dict) for scores in card.metrics.values()):
        raise HangtagError("bundle_incompatible", f"{path}: its metrics make no sense")
    return card


def is_member(folder: Path) -> bool:
    """Whether the folder above holds a bundle that this one is a member of: then its card may not change alone."""
    place = folder.resolve()
    try:
        return (place.parent / FILE).is_file() and place.name in read(place.parent).members
    except (HangtagError, OSError):
        return False


def standing_text(standing: Mapping[str, Any]) -> str:
    """What `Card.standing` gives, for people; empty for a finished model."""
    return f"unfinished: the weights of epoch {standing['epoch']} of {standing['epochs']}" if standing else ""


def digest_of(card: Card) -> str:
    """SHA-256 of the file that answers for a bundle, which a temperature put into the card later leaves as it is.

    Of a bundle with members: over their cards, which hold the digests of their files.
    """
    if card.members:
        return hashlib.sha256(json.dumps(card.members, sort_keys=True).encode()).hexdigest()
    return str(card.files[next(name for name in (ONNX, WEIGHTS) if name in card.files)]["sha256"])


_DICTS = {item.name for item in dataclasses.fields(Card) if item.type == "dict[str, Any]"}


def _digest(record: dict[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()  # JSON may hold halves of surrogate pairs
