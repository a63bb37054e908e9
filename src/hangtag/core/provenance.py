"""How a model was made, and whether its card is enough to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hangtag.core import card as cards
from hangtag.core.card import Card
from hangtag.core.errors import HangtagError
from hangtag.core.files import sha256_of
from hangtag.core.optional import checkout
from hangtag.core.paths import find_bundle, is_packaged

_CHANGED = "+changes"  # how `export.bundle.commit` marks a commit that was edited
_DIGITS = 12  # of a digest


@dataclass(frozen=True)
class Provenance:
    """What of a model's making can be repeated.

    Args:
        sentence: what cannot be repeated, and what the command makes in its place; empty if nothing is in the way.
        settings: what the recipe has to do without, as `--set` takes it.
    """

    sentence: str
    settings: tuple[str, ...]


def provenance(card: Card, folder: Path) -> Provenance:
    """What stands between the card of the bundle at `folder` and the same file again."""
    whose = "published" if _is_ours(folder) else "here"
    reasons, settings = [], list[str]()
    if text := commit(card):
        reasons += [f"made from {text}"] if text.endswith("changes") else []
    for key, name, without in (
        ("teachers", "teachers", ("teachers=", "teacher_views=0")),
        ("members", "members", ()),
        ("start", "start", ("start=null", "freeze=false")),
    ):
        if absent := [model for model in _others(card, key) if not _is_there(model)]:
            digests = ", ".join(f"{str(model.get('sha256'))[:_DIGITS]}…" for model in absent)
            verb = "is" if key == "start" else "are"
            reasons.append(f"its {name} {verb} not {whose} (SHA-256 {digests})")
            settings += without
    if not reasons:
        return Provenance("", ())
    can = (
        "it cannot be put together again from what is there"
        if _others(card, "members")
        else "the command for its recipe makes a model of the same kind, not this file"
    )
    sentence = f"{'; '.join(reasons)}: {can}."
    return Provenance(sentence[0].upper() + sentence[1:], tuple(settings))


def commit(card: Card) -> str:
    """The commit a model was made from, in words; empty if its card names none."""
    if not card.commit:
        return ""
    if card.commit.endswith(_CHANGED):
        return f"commit {card.commit.removesuffix(_CHANGED)} with uncommitted changes"
    return f"commit {card.commit}"


def _others(card: Card, key: str) -> Sequence[dict[str, Any]]:
    """Other models that this one was made with."""
    found = card.training.get(key) or []
    return [model for model in (found if isinstance(found, list) else [found]) if isinstance(model, dict)]


def _is_there(model: dict[str, Any]) -> bool:
    """Whether the very file can be found: a bundle, a file of weights, or a name that stands for a download."""
    place = str(model.get("bundle") or model.get("from") or "")
    if place == "imagenet":
        return True
    try:
        card = cards.read(find_bundle(place))
        digests = [str(file.get("sha256")) for file in card.files.values()]
        digests += [cards.digest_of(card)] if card.members else []
    except HangtagError:  # no bundle: a file of weights, or nothing
        try:
            digests = [sha256_of(Path(place))]
        except OSError:
            return False
    return model.get("sha256") in digests


def _is_ours(folder: Path) -> bool:
    """Whether Hangtag ships the bundle."""
    root = checkout()
    return is_packaged(folder) or (root is not None and folder.resolve().is_relative_to(root / "weights"))
