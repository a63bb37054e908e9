"""Opening a bundle: only the files its card names, only with the content its card vouches for, never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.files import read_regular
from hangtag.core.paths import MEMBER, find_bundle

MAX_BYTES = 2_000_000_000  # what one protobuf can hold


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose every file has been checked.

    Args:
        card: what the model is.
        folder: where it lies.
        files: `model.onnx` and/or `weights.safetensors`: name -> the very bytes that were checked.
        members: bundles this one consists of, by name; then it has no files.
    """

    card: cards.Card
    folder: Path
    files: dict[str, bytes]
    members: dict[str, Bundle] = field(default_factory=dict)


def open_bundle(name_or_path: str | os.PathLike[str]) -> Bundle:
    """Read a bundle and check all of it.

    Raises:
        HangtagError: `bundle_not_found`, `bundle_damaged` (size or digest differs from the card), `bundle_unsafe` (a
            pickle or archive, or a file no bundle may hold), `bundle_incompatible`.
    """
    folder = find_bundle(name_or_path)
    while True:
        try:
            return _open(folder)
        except HangtagError:
            before, folder = folder, find_bundle(name_or_path)
            if folder == before:
                raise  # else of a run that trains: a better epoch, or its end, took that one's place meanwhile


def _open(folder: Path) -> Bundle:
    card = cards.read(folder)
    if card.members:
        return Bundle(card, folder, {}, {name: _member(name, folder, card) for name in card.members})
    for name in card.files:
        if name not in (cards.ONNX, cards.WEIGHTS):
            raise HangtagError("bundle_unsafe", f"{folder}: its card names {name!r}, which no bundle may hold")
    present = [name for name in (cards.ONNX, cards.WEIGHTS) if name in card.files or (folder / name).exists()]
    if not present:
        raise HangtagError("bundle_damaged", f"{folder} holds no model: restore it or train again")
    return Bundle(card, folder, {name: _read(folder / name, card) for name in present})


def _member(name: str, folder: Path, card: cards.Card) -> Bundle:
    if not MEMBER.fullmatch(name):
        raise HangtagError("bundle_unsafe", f"{folder}: its card names {name!r}, which no member may be called")
    path, listed = folder / name / cards.FILE, card.members[name]
    try:
        content = read_regular(path, cards.MAX_BYTES)
    except OSError as error:
        raise HangtagError(
            "bundle_damaged", f"{path} cannot be read ({error.strerror}): restore it or train again"
        ) from error
    if not isinstance(listed, dict) or hashlib.sha256(content).hexdigest() != listed.get("sha256"):
        raise HangtagError("bundle_damaged", f"{path} is not the card that {folder} names: restore it or train again")
    member = _open(folder / name)
    if member.members:
        raise HangtagError("bundle_incompatible", f"{folder / name} has members of its own, which a member may not")
    return member


def _read(path: Path, card: cards.Card) -> bytes:
    try:
        content = read_regular(path, MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise HangtagError("bundle_incompatible", f"{path} is longer than {MAX_BYTES:,} bytes")
    except OSError as error:
        raise HangtagError(
            "bundle_damaged", f"{path} cannot be read ({error.strerror}): restore it or train again"
        ) from error
    _refuse_pickle(path, content)  # first: whoever put a pickle there should hear so
    listed = card.files.get(path.name)
    if not isinstance(listed, dict):
        raise HangtagError("bundle_damaged", f"{path} is not in the bundle's card: delete it or restore the bundle")
    if len(content) != listed.get("bytes") or hashlib.sha256(content).hexdigest() != listed.get("sha256"):
        raise HangtagError(
            "bundle_damaged", f"{path} is not what its card says (changed, or cut short): restore it or train again"
        )
    if path.name == cards.WEIGHTS and not _is_safetensors(content):
        raise HangtagError("bundle_damaged", f"{path} is not a safetensors file")
    return content


def _refuse_pickle(path: Path, content: bytes) -> None:
    """Pickles run code when loaded, and zip archives are how torch saves them. Told by content, whatever the name."""
    if path.name == cards.WEIGHTS and _is_safetensors(content):  # a header of 0x280 bytes starts like a pickle
        return
    pickle = content[:1] == b"\x80" and content[1:2] <= b"\x05"
    text_pickle = content[:1] in (b"(", b"c", b"]", b"}") and content.rstrip().endswith(b".")  # protocols 0 and 1
    if pickle or text_pickle or content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        raise HangtagError("bundle_unsafe", f"{path} is a pickle or archive, which could run code: it is not opened")


def _is_safetensors(content: bytes) -> bool:
    """A length, then that many bytes of a JSON object. Source: the format's own specification."""
    length = int.from_bytes(content[:8], "little")
    if length > len(content) - 8 or content[8:9] != b"{":
        return False
    try:
        return isinstance(json.loads(content[8 : 8 + length]), dict)
    except (ValueError, RecursionError):
        return False
