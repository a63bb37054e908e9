"""The model card: what the model is for, what it learnt from, where it fails, how to make it again.

Source: Mitchell et al. 2019, "Model Cards for Model Reporting", arXiv:1810.03993; the headings are theirs, shortened.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from hangtag.core.card import Card
from hangtag.core.paths import is_packaged
from hangtag.core.provenance import commit, provenance
from hangtag.data.sets import register as data_sets
from hangtag.report.judged import Judged


@dataclass(frozen=True)
class ModelCard:
    """Headings with what is to be said under them."""

    use: list[str]
    data: list[str]
    limits: list[str]
    licence: list[str]
    facts: list[tuple[str, str]]
    command: str
    cannot: str  # what of its making cannot be repeated; empty if nothing is in the way
    recipe: str  # JSON; empty for what no recipe makes


def model_card(judged: Judged) -> ModelCard:
    """From the card, and from what the data set says of itself."""
    card = judged.card
    about = _about(card)
    classes = len(card.class_names)
    kind = "in colour" if card.colour else "grey"
    digest = card.data.get("digest")
    source = about.get("source", "A folder of the user’s own pictures, one sub-folder per class.")
    made = provenance(card, judged.bundle.folder)
    learnt = f"{card.data['training']:,}" if isinstance(card.data.get("training"), int) else "an unknown number of"
    return ModelCard(
        use=[
            f"To say which of its {classes:,} classes a picture of one product shows. It answers with one of them to "
            "whatever it is shown, things it has never met included: somebody should look at what it is unsure of.",
            "It is not made to recognise people, to describe what they wear, or to decide anything about them.",
        ],
        data=[
            f"Learnt from {learnt} pictures of {card.data.get('name', 'a data set that its card does not name')}, "
            f"{card.size} × {card.size} pixels, {kind}. {source}",
            *([f"SHA-256 of its training half: {digest}"] if digest else []),
        ],
        limits=[
            *about.get("limits", ()),
            "What it reaches here it reaches on pictures made like these; on others (another camera, ground, season or "
            "range of goods) expect less, and judge it anew on some of yours.",
        ],
        licence=[f"Model: {_licence(judged)}", f"Data: {about.get('licence', 'the user’s own.')}"],
        facts=[
            (name, value)
            for name, value in (
                ("recipe", card.name),
                ("state", card.unfinished_text()),
                ("made", card.created.replace("T", " ").replace("+00:00", " UTC")),
                ("commit", commit(card).removeprefix("commit ")),
                ("versions", ", ".join(f"{package} {version}" for package, version in card.versions.items())),
                ("hardware", str(card.training.get("device", ""))),
                ("precision", str(card.training.get("precision", ""))),
                ("started from", _others([card.training["start"]] if card.training.get("start") else [], "from")),
                ("taught by", _others(card.training.get("teachers", []))),
                ("made of", _others(card.training.get("members", []))),
                ("notes", card.notes),
                *((f"SHA-256 of {name}", str(about_file.get("sha256", ""))) for name, about_file in card.files.items()),
            )
            if value
        ],
        command=_command(card, made.settings, "" if about else "--data PATH"),
        cannot=made.sentence,
        recipe="" if "members" in card.training else json.dumps(card.recipe, indent=1, ensure_ascii=False),
    )


def _command(card: Card, without: tuple[str, ...], data: str) -> str:
    """What makes such a model again, without what is no longer there."""
    if "members" in card.training:
        names = [shlex.quote(str(member["bundle"])) for member in card.training["members"]]
        return " ".join(filter(None, ("hangtag ensemble", *names, f"--how {card.training.get('ensemble')}", data)))
    changes = [f"--set {setting}" for setting in without]
    return " ".join(filter(None, ("hangtag train recipe.json", "--full" if card.full else "", *changes, data)))


def _others(models: list[dict[str, Any]], key: str = "bundle") -> str:
    """Other models this one builds upon, by name and digest."""
    return ", ".join(f"{model.get(key)} (SHA-256 {str(model.get('sha256'))[:12]}…)" for model in models)


def _about(card: Card) -> dict[str, Any]:
    """What the data set's file says of it; a folder of somebody's own says nothing."""
    name = str(card.data.get("name", "")).replace("-", "_")
    return data_sets.facts(name) if name in data_sets.names() else {}


def _licence(judged: Judged) -> str:
    if is_packaged(judged.bundle.folder):
        return "MIT, as Hangtag, with which it comes."
    return "as whoever trained it decides; Hangtag, which made it, is under the MIT licence."
