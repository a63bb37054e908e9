"""Three sentences in plain words, and one word for all."""

from __future__ import annotations

from dataclasses import dataclass

from hangtag.checks import Finding, Severity
from hangtag.report.judged import Judged

_WORDS: dict[Severity, str] = {
    "serious": "Not ready yet",
    "warning": "Usable, with care",
    "note": "Good, with remarks",
    "good": "Good",
}


@dataclass(frozen=True)
class Verdict:
    """What a hurried reader takes away.

    Args:
        severity: of the gravest finding.
        word: the same in words.
        sentences: three.
    """

    severity: Severity
    word: str
    sentences: tuple[str, str, str]


def verdict(judged: Judged) -> Verdict:
    """How good it is, whether it learnt or memorised, and what to do first."""
    severity = judged.findings[0].severity if judged.findings else "good"
    return Verdict(severity, _WORDS[severity], (_how_good(judged), _fit(judged.findings), _what_to_do(judged)))


def _how_good(judged: Judged) -> str:
    low, high = judged.evaluation.accuracy_interval
    n = judged.evaluation.n
    return (
        f"It labels {_out_of_a_hundred(judged.evaluation.accuracy)} right: {judged.evaluation.accuracy:.2%} of {n:,} "
        f"test pictures it had never seen, and on other such pictures most likely between {low:.1%} and {high:.1%}."
    )


def _out_of_a_hundred(share: float) -> str:
    whole = round(100 * share)
    if share == 1:
        return "every picture"
    if whole == 100:
        return "more than 99 of 100 pictures"
    return f"{whole} of 100 pictures"


def _fit(findings: list[Finding]) -> str:
    by_code = {finding.code: finding for finding in findings}
    for code in ("HT000", "HT002", "HT001"):
        if code in by_code and (code == "HT000" or by_code[code].severity != "good"):
            return by_code[code].sentence
    return "Whether it has learnt or only memorised cannot be told: the pictures it learnt from are not here."


def _what_to_do(judged: Judged) -> str:
    commonest = judged.evaluation.confusions(1)
    if not commonest:
        return "It made no mistake on these pictures: there is nothing to mend, and no telling what it would get wrong."
    true, taken, number, _ = commonest[0]
    weakest = f"Its commonest mistake is to take {true} for {taken} ({number:,} {'time' if number == 1 else 'times'})"
    first = next((finding for finding in judged.findings if finding.severity in ("serious", "warning")), None)
    if first is None:
        return f"{weakest}; no check asks for more than a look."
    return f"{weakest}; look first at {first.code}, {first.name}."
