"""Which member of a bundle a report or a comparison is on: they show what one model sees."""

from __future__ import annotations

from collections.abc import Callable

from hangtag.audit.photos import small_side
from hangtag.core.card import Card
from hangtag.core.types import Dataset
from hangtag.predict.bundle import Bundle


def member_for(bundle: Bundle, find: Callable[[Card], Dataset]) -> tuple[Bundle, Dataset]:
    """The member that a data set's images go to, and the data set as that member takes it.

    Args:
        bundle: with members or without; without, it is its own.
        find: the data set as the model of a card takes it.

    Returns:
        Of a folder of photos the member for photos, of anything else the first. Single small grey images among photos,
        which `recognise` would give to the first, go to the member for photos here.
    """
    first, *others = bundle.members.values() or [bundle]
    dataset = find(first.card)
    if not others or not dataset.photos or small_side([dataset.photos["test"]()]) is not None:
        return first, dataset
    photos = others[0]
    return photos, find(photos.card)
