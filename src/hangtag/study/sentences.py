"""What a comparison says, in plain sentences: few, however many models took part."""

from __future__ import annotations

import itertools

from hangtag.study.compare import Comparison, Row
from hangtag.study.significance import Pair
from hangtag.watch import clock

_MOST = 6  # sentences on neighbours


def sentences(comparison: Comparison) -> tuple[str, ...]:
    """Whether all had the same time; who is best, then each against the next in rank. The matrix has every pair."""
    return (*on_budget(comparison), *_ranking(comparison))


def on_budget(comparison: Comparison) -> tuple[str, ...]:
    """Who took longer than the budget, and by how much; nothing where nobody did."""
    over = [(row, found) for row in comparison.standing if (found := comparison.exceeded(row))]
    if not over or comparison.budget_s is None:
        return ()
    said = [
        f"{row.name} ({clock(found['seconds'])}, {found['times']:.1f} times as long{_why(row)})" for row, found in over
    ]
    listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
    return (f"Not a fair race: the budget of {clock(comparison.budget_s)} did not bind for {listed}.",)


def _why(row: Row) -> str:
    if row.first("epochs") is None:
        return ": it has no epochs to cut"
    return ": one epoch takes longer" if row.first("epochs") == 1 else ""


def _ranking(comparison: Comparison) -> tuple[str, ...]:
    names = [row.name for row in comparison.standing]
    if len(names) < 2:
        return ("There is one model only: nothing to hold it against.",) if names else ()
    known = {(pair.first, pair.second): pair for pair in comparison.pairs}
    said = []
    equals = [name for name in names[1:] if not known[names[0], name].real]
    if not equals and len(names) > 2:
        said.append(f"{names[0]} is better than {'both' if len(names) == 3 else f'all {len(names) - 1}'} others.")
    elif equals and len(names) > 2:
        rest = len(names) - 1 - len(equals)
        said.append(
            f"{names[0]} is ahead, but not told apart from {_listed(equals)}"
            + (
                f"; it is better than the other {rest}."
                if rest > 1
                else "; it is better than the other."
                if rest
                else "."
            )
        )
    neighbours = [known[pair] for pair in itertools.pairwise(names)]
    said += [of_pair(pair) for pair in neighbours[:_MOST]]
    if len(neighbours) > _MOST:
        said.append("Models that share a letter in the table are not told apart; compare.html has every pair.")
    return tuple(said)


def of_pair(pair: Pair) -> str:
    """One pair: whether they differ, by how much, and how sure that is."""
    points, low, high = (f"{100 * value:.1f}".replace("-", "−") for value in (pair.difference, pair.low, pair.high))
    chance = "p < 0.001" if pair.p_holm < 0.001 else f"p = {pair.p_holm:.2g}"
    if pair.real:
        return f"{pair.first} is better than {pair.second} by {points} points ({low} to {high}), {chance} after Holm."
    if pair.only_these_weights:
        why = "other seeds could turn it round"
        return (
            f"{pair.first} and {pair.second} as trained here differ ({chance} after Holm), but by {points} points "
            f"({low} to {high}): {why}."
        )
    return f"{pair.first} and {pair.second} are not told apart: {points} points ({low} to {high}), {chance} after Holm."


def on_choosing(comparison: Comparison) -> str:
    """What the table may be used for."""
    if comparison.split == "test":
        return (
            "This is on the test pictures: it reports on recipes that were settled before. To choose between recipes, "
            "use --split val; whoever chooses by test pictures takes the luckiest for the best."
        )
    return "This is on the validation pictures: choose by it, and report the choice on the test pictures once."


def fits(rows: tuple[Row, ...]) -> list[str]:
    """The check's own sentence for each row."""
    return [f"{row.name}: {fit['sentence']}" for row in rows if (fit := row.first("fit"))]


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
