from typing import Any, Literal

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.typed import coerce, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.1", 0.1),
        ("1e-3", 1e-3),
        ("true", True),
        ("True", True),
        ("null", None),
        ("none", None),
        ("[1,2]", [1, 2]),
        ("adam", "adam"),
        ("a b", "a b"),
        (".5", 0.5),
        ("-3.", -3.0),
        ("1,2,2", [1, 2, 2]),
        ("0.1,.2", [0.1, 0.2]),
        ("flip,shift", "flip,shift"),
        (".", "."),
        ("", ""),
        ('"3"', "3"),
        ("my-folder/x", "my-folder/x"),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=range(20),
)
def test_text_is_json_where_it_is_json(text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("value", "annotation", "result"),
    [
        (3, float, 3.0),
        (3, int, 3),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 0.5], tuple[int, float], (1, 0.5)),
        (None, int | None, None),
        (3, int | None, 3),
        ("a", Literal["a", "b"], "a"),
        ({"x": 1}, Any, {"x": 1}),
        (False, bool, False),
    ],
)
def test_takes_what_fits(value, annotation, result):
    assert coerce(value, annotation, "key") == result
    assert type(coerce(value, annotation, "key")) is type(result)


@pytest.mark.parametrize(
    ("value", "annotation", "wanted"),
    [
        (True, int, "a whole number"),
        (True, float, "a number"),
        (1, bool, "true or false"),
        (1.0, int, "a whole number"),
        ("3", int, "a whole number"),
        (None, int, "a whole number"),
        ("x", int | None, "a whole number or null"),
        (3, tuple[int, ...], "a list of whole numbers"),
        (3, tuple[float, ...], "a list of numbers"),
        (3, tuple[str, ...], "a list of words"),
        (3, tuple[bool, ...], "a list of true or false"),
        (3, tuple[int, ...] | None, "a list of whole numbers or null"),
        (3, tuple[int | float, ...], "a list of whole numbers or numbers"),
        (3, tuple[tuple[int, ...], ...], "a list of lists of whole numbers"),
        (3, tuple[tuple[int, int], ...], "a list of lists of 2 values"),
        ([1], tuple[int, int], "a list of 2 values"),
        ([], tuple[int], "a list of 1 value"),
        (3, Literal["a", "b"] | None, "one of a, b or null"),
        (3, tuple[Literal["a", "b"], ...], "a list of any of a, b"),
        (3, dict[str, int], "an object"),
        (3, str, "a word"),
    ],
)
def test_refuses_what_does_not_and_says_what_was_wanted(value, annotation, wanted):
    with pytest.raises(HangtagError) as caught:
        coerce(value, annotation, "key")
    assert caught.value.message == f"key should be {wanted}, not {value!r}"


def test_a_literal_suggests_the_nearest():
    with pytest.raises(HangtagError, match=r"key may not be 'reluu'\. Did you mean 'relu'\?"):
        coerce("reluu", Literal["relu", "tanh"], "key")
