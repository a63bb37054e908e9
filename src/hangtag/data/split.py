"""A validation split that every machine cuts alike, and parts of a split: some classes, a few pictures of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hangtag.core.errors import HangtagError
from hangtag.core.registry import nearest
from hangtag.core.seeds import derive
from hangtag.core.types import Dataset, Labels, Split

VALIDATION_SEED = 0
"""Fixed, and apart from a run's seed: runs that are compared are judged on the same pictures."""


def stratified(split: Split, held_out: int | None = None, seed: int = VALIDATION_SEED) -> tuple[Split, Split]:
    """Cut `split` in two, class by class in the same proportion; each part keeps the original order.

    Args:
        split: the pictures to part.
        held_out: how many the second part gets; a twelfth if not given (5,000 of Fashion-MNIST's 60,000). Where classes
            are so small that one picture each is already more, or all but one less, the number gives way.
        seed: which cut.

    Returns:
        (training, validation). Equal arguments give equal parts on every platform and with every version of NumPy: the
        pictures of a class are ordered by the raw output of Philox, which NumPy promises never to change, unlike
        `permutation`'s.

    Raises:
        HangtagError: `data_count`, if there are too few pictures to part.
    """
    chosen = validation_of(split, held_out, seed)
    return split.take(np.flatnonzero(~chosen)), split.take(np.flatnonzero(chosen))


def training_and_validation(dataset: Dataset, everything: Split | None = None) -> tuple[Split, Split]:
    """The images to train on and those to validate on: a validation folder's where there is one, else `stratified`.

    Args:
        dataset: the data set.
        everything: its training half, where that is opened already.

    Raises:
        HangtagError: `data_count`, if there are too few images to part; what opening them raises.
    """
    everything = dataset.training() if everything is None else everything
    if dataset.validation is None:
        return stratified(everything)
    return everything, dataset.validation()


def data_record(dataset: Dataset, everything: Split, validation: Split | None) -> dict[str, Any]:
    """What decides which images are trained and validated on, for a run's settings.

    Args:
        dataset: the data set.
        everything: its training half.
        validation: what `training_and_validation` gives, or the images of the validation folder; None where the latter
            is opened here.
    """
    found: dict[str, Any] = {"name": dataset.name, "digest": everything.digest()}
    if dataset.validation is not None:
        validation = dataset.validation() if validation is None else validation
        found |= {"validation_from": "folder", "validation_digest": validation.digest()}
    return found


def joined(training: Split, validation: Split) -> Split:
    """The images of both, the training images first."""
    return replace(
        training,
        images=np.concatenate([training.images, validation.images]),
        labels=np.concatenate([training.labels, validation.labels]),
        sources=(*training.sources, *validation.sources),
        skipped=(*training.skipped, *validation.skipped),
    )


def validation_of(split: Split, held_out: int | None = None, seed: int = VALIDATION_SEED) -> NDArray[np.bool_]:
    """(N,) true for the pictures of `stratified`'s second part."""
    return held_out_of(split.labels, _twelfth(split.labels) if held_out is None else held_out, seed)


def validation_of_labels(labels: Labels) -> NDArray[np.bool_]:
    """(N,) true for the images that `stratified` cuts out of images of these labels."""
    return held_out_of(labels, _twelfth(labels), VALIDATION_SEED)


def _twelfth(labels: Labels) -> int:
    return max(1, len(labels) // 12)


def held_out_of(labels: Labels, held_out: int, seed: int) -> NDArray[np.bool_]:
    """(N,) true for the pictures of the second part; see `stratified`."""
    counts = np.bincount(labels)
    if not 0 < held_out < len(labels) or counts.max() < 2:
        raise HangtagError(
            "data_count",
            f"cannot hold {held_out:,} of {len(labels):,} images out for validation or test: add more images",
        )
    shares = counts * held_out / len(labels)
    take = np.floor(shares).astype(np.int64)
    left_over = held_out - int(take.sum())
    take[np.argsort(take - shares, kind="stable")[:left_over]] += 1  # largest remainder first
    take = np.clip(take, np.minimum(1, np.maximum(counts - 1, 0)), np.maximum(counts - 1, 0))

    chosen = np.zeros(len(labels), dtype=np.bool_)
    for label, number in enumerate(take):
        members = np.flatnonzero(labels == label)
        draws = np.random.Philox(key=[seed, label]).random_raw(len(members))
        chosen[members[np.argsort(draws, kind="stable")[:number]]] = True
    return chosen


def some_classes(wanted: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes meant, in the order of `known`.

    Args:
        wanted: names, in any case where only one class is meant; ranges from one name to another, such as "Coat-Dress".
            Where classes are called by numbers, "0-3" are those called 0, 1, 2 and 3; where few are, numbers from 0
            that are no name, and ranges of them, are places in `known`. A name that holds commas may come in pieces.
        known: names of all classes, in label order.

    Raises:
        HangtagError: `usage_class`, with the nearest name, for a class there is none of, and for what could mean two
            things; also for fewer than two.
    """
    words = [word.strip() for word in wanted]
    exact = frozenset(list(known).index(word) for word in words if word in known)
    readings = [exact] if exact and all(word in known for word in words) else _readings(words, known)
    if not readings:
        for word in words:
            _meant(word, known)  # raises, naming what no class is called
        raise HangtagError("usage_class", f"no class is called {', '.join(words)!r}")
    numbers = readings[0]
    if other := next((reading for reading in readings if reading != numbers), None):
        first, second = (" and ".join(repr(known[i]) for i in sorted(reading)) for reading in (numbers, other))
        text = ",".join(words)
        raise HangtagError(
            "usage_class", f"{text!r} may mean {first} or {second}: put a name that holds a comma into double quotes"
        )
    if len(numbers) < 2:
        raise HangtagError("usage_class", f"two classes or more are needed to tell apart, not {len(numbers)}")
    return tuple(known[number] for number in sorted(numbers))


def _readings(words: Sequence[str], known: Sequence[str]) -> list[frozenset[int]]:
    """What a list of words may mean, words next to each other taken together as names that hold commas."""
    found: list[list[frozenset[int]]] = [[frozenset()]]  # of the first 0, 1, 2 ... words
    plain = {re.sub(r",\s*", ",", name): number for number, name in enumerate(known)}
    for end in range(1, len(words) + 1):
        here: dict[frozenset[int], None] = {}
        for start in range(max(0, end - 1 - max(name.count(",") for name in known)), end):
            joined_words = ",".join(words[start:end])
            if end - start > 1:
                meant = {plain[joined_words]} if joined_words in plain else None
            else:
                try:
                    meant = _meant(joined_words, known)
                except HangtagError:
                    meant = None
            if meant is not None:
                here |= dict.fromkeys(reading | meant for reading in found[start])
        found.append(list(here))
    return found[-1]


def _meant(word: str, known: Sequence[str]) -> set[int]:
    """The classes one word means.

    Raises:
        HangtagError: `usage_class`.
    """
    if (number := _called(word, known)) is not None:
        return {number}
    numbered = 2 * sum(name.isdecimal() for name in known) >= len(known)  # then a number is a name, not a place
    for at in re.finditer(r"-|\u2013", word):
        ends = [end.strip() for end in (word[: at.start()], word[at.end() :])]
        first, last = (_called(end, known) for end in ends)
        numbers = [int(end) for end in ends if end.isdecimal()]
        if first is not None and last is not None:
            if len(numbers) == 2:
                found = {
                    i for i, name in enumerate(known) if name.isdecimal() and numbers[0] <= int(name) <= numbers[1]
                }
            else:
                found = set(range(first, last + 1))
            if found:
                return found
        elif (first, last) != (None, None) and len(numbers) == 2 and not numbered:
            raise HangtagError(
                "usage_class", f"one end of {word} is a class's name and the other is not: name the classes"
            )
    places = re.fullmatch(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", word)
    if places is None or numbered:
        raise HangtagError("usage_class", f"no class is called {word!r}.{nearest(word, list(known))}")
    low, high = int(places[1]), int(places[2] or places[1])
    if not low <= high < len(known):
        raise HangtagError(
            "usage_class", f"there is no class {word}: the {len(known)} classes are numbered 0 to {len(known) - 1}"
        )
    return set(range(low, high + 1))


def _called(word: str, known: Sequence[str]) -> int | None:
    """The class of this name; failing that, the one class whose name differs in case, or as a number, not at all."""
    if word in known:
        return list(known).index(word)
    alike = [i for i, name in enumerate(known) if name.casefold() == word.casefold()]
    if not alike and word.isdecimal():
        alike = [i for i, name in enumerate(known) if name.isdecimal() and int(name) == int(word)]
    return alike[0] if len(alike) == 1 else None


def only(split: Split, class_names: Sequence[str]) -> Split:
    """The pictures of some classes, in order; labels count in the order of `class_names`, all of which `split` has.

    Parts are cut out of the whole set first and restricted then: so a picture is in the same part whichever classes
    are asked for.
    """
    if tuple(class_names) == split.class_names:
        return split
    number = np.full(len(split.class_names), -1, dtype=np.int64)
    for label, name in enumerate(class_names):
        number[split.class_names.index(name)] = label
    found = split.take(np.flatnonzero(number[split.labels] >= 0))
    return replace(found, labels=number[found.labels], class_names=tuple(class_names))


def few_of_each(split: Split, few: int, seed: int) -> Split:
    """So many pictures of each class, drawn alike on every platform; fewer are always among more, for the same seed.

    Raises:
        HangtagError: `data_count` if a class has not as many.
    """
    kept = []
    for label, name in enumerate(split.class_names):
        members = np.flatnonzero(split.labels == label)
        if len(members) < few:
            raise HangtagError(
                "data_count",
                f"{few:,} pictures of each class are asked for, and {name!r} has {len(members):,} to learn from",
            )
        draws = np.random.Philox(key=[derive(seed, "few"), label]).random_raw(len(members))
        kept.append(members[np.argsort(draws, kind="stable")[:few]])
    return split.take(np.sort(np.concatenate(kept)))
