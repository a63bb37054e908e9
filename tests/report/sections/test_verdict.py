import numpy as np
import pytest

from hangtag.checks import Finding
from hangtag.report.sections.verdict import verdict


def finding(code, severity, sentence="So it is."):
    return Finding(
        code=code, name="x", severity=severity, sentence=sentence, number=0, threshold=0, unit="share", cure="Do."
    )


def test_is_three_sentences_that_say_how_good_how_learnt_and_what_next(judged):
    said = np.arange(300) % 3
    said[:12:3] = 1
    found = verdict(judged(said=said, findings=[finding("HT004", "warning"), finding("HT000", "good", "Good fit.")]))
    how_good, fit, what_next = found.sentences
    assert how_good.startswith("It labels 99 of 100 pictures right: 98.67% of 300 test pictures")
    assert fit == "Good fit."
    assert what_next == "Its commonest mistake is to take Shirt for Coat (4 times); look first at HT004, x."


@pytest.mark.parametrize(
    ("severity", "word"),
    [
        ("serious", "Not ready yet"),
        ("warning", "Usable, with care"),
        ("note", "Good, with remarks"),
        ("good", "Good"),
    ],
)
def test_the_gravest_finding_decides_the_word(judged, severity, word):
    assert verdict(judged(findings=[finding("HT009", severity), finding("HT010", "good")])).word == word


def test_overfitting_is_said_in_its_own_words(judged):
    given = [finding("HT001", "serious", "By heart."), finding("HT002", "good", "Learnt.")]
    assert verdict(judged(findings=given)).sentences[1] == "By heart."


def test_a_perfect_score_is_not_praised_too_much(judged):
    found = verdict(judged())
    assert "every picture" in found.sentences[0]
    assert "no telling what it would get wrong" in found.sentences[2]


def test_almost_all_is_not_all(judged):
    said = np.arange(300) % 3
    said[0] = 1
    assert "more than 99 of 100 pictures" in verdict(judged(said=said)).sentences[0]
