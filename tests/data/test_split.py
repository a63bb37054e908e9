from __future__ import annotations

import hashlib

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.typed import words
from hangtag.core.types import Split
from hangtag.data.split import few_of_each, only, some_classes, stratified

GOLDEN = [0, 43, 54, 66, 69, 117, 122, 131, 134, 170]
FASHION = "b5213efd7f940a5e"


def numbered(counts: list[int]) -> Split:
    """Pictures that carry their own number."""
    labels = np.concatenate([np.full(n, label, dtype=np.int64) for label, n in enumerate(counts)])
    images = np.zeros((len(labels), 2, 2), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(len(labels)) // 256, np.arange(len(labels)) % 256
    return Split(images, labels, tuple(f"c{i}" for i in range(len(counts))))


def numbers(split: Split) -> list[int]:
    return [int(a) * 256 + int(b) for a, b in split.images[:, 0]]


def test_every_picture_lands_in_one_part_and_keeps_its_place():
    training, validation = stratified(numbered([60, 60, 60]))
    assert sorted(numbers(training) + numbers(validation)) == list(range(180))
    assert numbers(training) == sorted(numbers(training))
    assert numbers(validation) == sorted(numbers(validation))


def test_holds_a_twelfth_of_each_class_out():
    _, validation = stratified(numbered([600, 600, 600]))
    assert list(validation.counts().values()) == [50, 50, 50]


def test_follows_uneven_classes_and_forgets_no_small_one():
    training, validation = stratified(numbered([900, 90, 5, 1]), held_out=100)
    assert list(validation.counts().values()) == [90, 9, 1, 0]
    assert list(training.counts().values()) == [810, 81, 4, 1]


def test_gives_exactly_the_number_asked_for():
    for held_out in (7, 50, 100):
        assert len(stratified(numbered([101, 99, 57]), held_out)[1]) == held_out


def test_is_the_same_cut_on_every_machine():
    _, validation = stratified(numbered([100, 100]), 10)
    assert numbers(validation) == GOLDEN
    assert numbers(stratified(numbered([100, 100]), 10, seed=1)[1]) != GOLDEN


def test_the_cut_of_fashion_mnist_never_moves():  # its labels alone decide: 6,000 of each class
    labels = np.arange(60_000, dtype=np.int64) % 10
    split = Split(np.zeros((60_000, 1, 1), dtype=np.uint8), labels, tuple("abcdefghij"), tuple(map(str, range(60_000))))
    training, validation = stratified(split)
    assert (len(training), len(validation)) == (55_000, 5_000)
    assert hashlib.sha256(" ".join(validation.sources).encode()).hexdigest()[:16] == FASHION


@pytest.mark.parametrize("held_out", [0, 4, 9])
def test_refuses_to_leave_a_part_empty(held_out):
    with pytest.raises(HangtagError, match="add more") as caught:
        stratified(numbered([2, 2]), held_out)
    assert caught.value.code == "data_count"


def test_refuses_where_no_class_has_two():
    with pytest.raises(HangtagError, match="add more"):
        stratified(numbered([1, 1, 1]), 1)


NAMED = ("T-shirt/top", "Trouser", "Coat", "7")


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (["Coat", "Trouser"], ("Trouser", "Coat")),  # in the data's order, however they are asked for
        (["0", "2"], ("T-shirt/top", "Coat")),
        (["0-1", "2-3"], NAMED),
        (["1-2", "Coat"], ("Trouser", "Coat")),
        (["7", "0"], ("T-shirt/top", "7")),  # a name goes before a number
    ],
)
def test_classes_are_named_numbered_or_a_range(wanted, meant):
    assert some_classes(wanted, NAMED) == meant


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["Trousers", "Coat"], "Did you mean 'Trouser'"),
        (["0-4"], "numbered 0 to 3"),
        (["2-1"], "no class 2-1"),
        (["99"], "no class 99"),
        (["Coat"], "two classes or more"),
        ([], "two classes or more"),
    ],
)
def test_classes_there_are_none_of_are_one_line_with_a_cure(wanted, says):
    with pytest.raises(HangtagError, match=says) as caught:
        some_classes(wanted, NAMED)
    assert caught.value.code == "usage_class"


NUMBERS = tuple(sorted(map(str, range(12))))
GARMENTS = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat")
LONG = ("Coats, long", "Dress", "Shirt", "long")


@pytest.mark.parametrize(
    ("text", "known", "meant"),
    [
        ("0-3", NUMBERS, ("0", "1", "2", "3")),  # not the first four as they are sorted: 0, 1, 10, 11
        ("2,10", NUMBERS, ("10", "2")),
        ("0-3", tuple(f"{i:02}" for i in range(5)), ("00", "01", "02", "03")),
        (" 0 - 1 , 3", GARMENTS, ("T-shirt/top", "Trouser", "Dress")),
        ("coat, DRESS", GARMENTS, ("Dress", "Coat")),
        ("Trouser-Dress", GARMENTS, ("Trouser", "Pullover", "Dress")),
        ("T-shirt/top-Pullover", GARMENTS, ("T-shirt/top", "Trouser", "Pullover")),
        ('"Coats, long",Dress', LONG, ("Coats, long", "Dress")),
        ("Dress, Coats, long", LONG, ("Coats, long", "Dress")),
        ("a,b", ("a", "b", "a, b"), ("a", "b")),
    ],
)
def test_a_name_goes_before_a_place_and_may_hold_commas(text, known, meant):
    assert some_classes(words(text), known) == meant


@pytest.mark.parametrize(
    ("text", "known", "says"),
    [
        ("0-99", NUMBERS, "no class is called '0-99'"),
        ("12,1", NUMBERS, "no class is called '12'"),
        ("1-3", ("100", "3", "x", "y", "z"), "one end of 1-3 is a class's name and the other is not"),
        ("A,B,c", ("a", "b", "a,b", "A,B", "c", "C"), "may mean"),
        ("Dress,Coatt", GARMENTS, "Did you mean 'Coat'"),
    ],
)
def test_a_doubt_about_classes_is_told(text, known, says):
    with pytest.raises(HangtagError, match=says) as caught:
        some_classes(words(text), known)
    assert caught.value.code == "usage_class"


def test_only_some_classes_are_numbered_anew_and_keep_their_order():
    part = only(numbered([3, 2, 4]), ("c0", "c2"))
    assert (numbers(part), part.labels.tolist()) == ([0, 1, 2, 5, 6, 7, 8], [0, 0, 0, 1, 1, 1, 1])
    assert part.class_names == ("c0", "c2")
    whole = numbered([3, 2])
    assert only(whole, ("c0", "c1")) is whole


def test_no_picture_changes_sides_when_classes_are_left_out():
    training, validation = stratified(numbered([31, 58, 44]))
    kept = [only(part, ("c1", "c2")) for part in (training, validation)]
    assert set(numbers(kept[0])) < set(numbers(training))
    assert set(numbers(kept[1])) < set(numbers(validation))


def test_few_are_the_same_few_for_a_seed_and_among_more():
    split = numbered([20, 30])
    few, more, other = few_of_each(split, 3, 0), few_of_each(split, 9, 0), few_of_each(split, 3, 1)
    assert few.counts() == {"c0": 3, "c1": 3}
    assert set(numbers(few)) < set(numbers(more))
    assert numbers(few) == numbers(few_of_each(split, 3, 0)) == sorted(numbers(few))
    assert numbers(few) != numbers(other)
    with pytest.raises(HangtagError, match="'c0' has 20"):
        few_of_each(split, 21, 0)
