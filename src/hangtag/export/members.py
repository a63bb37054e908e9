"""Several bundles as one whose members they are."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

from hangtag.core import card as cards
from hangtag.core.errors import HangtagError
from hangtag.core.files import new_folder
from hangtag.core.paths import MEMBER
from hangtag.predict import from_bundle
from hangtag.predict.bundle import Bundle


def write(name: str, members: Mapping[str, Bundle], folder: Path) -> None:
    """Put a bundle with members at `folder`, replacing one that is there.

    Args:
        name: of the whole.
        members: name -> bundle; the first is the whole's face: its classes, size and metrics are shown.
        folder: the bundle's folder; each member gets a folder of its own below it.

    Raises:
        HangtagError: `usage_value` for a name no member may have; `bundle_incompatible` if they cannot be one;
            `storage_*`.
    """
    for member in members:
        if not MEMBER.fullmatch(member):
            raise HangtagError("usage_value", f"a member is called by small letters, digits and _, not {member!r}")
    with new_folder(folder) as temporary:
        listed = {}
        for member, bundle in members.items():
            (temporary / member).mkdir()
            cards.seal(bundle.card, temporary / member, bundle.files)
            content = (temporary / member / cards.FILE).read_bytes()
            listed[member] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        first = next(iter(members.values())).card
        cards.write(dataclasses.replace(first, name=name, members=listed), temporary)
        whole = Bundle(cards.read(temporary), temporary, {}, dict(members))
        from_bundle(whole)  # that they can be one is seen before anything is replaced
