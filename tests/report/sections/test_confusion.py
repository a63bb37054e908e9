import numpy as np

from hangtag.report.sections.confusion import MOST_CLASSES, confusion


def test_counts_shares_and_the_commonest_mistakes(judged):
    said = np.arange(300) % 3
    said[:60:3] = 2  # 20 of 100 shirts are called bags
    found = confusion(judged(said=said))
    assert [[cell.count for cell in row] for row in found.rows] == [[80, 0, 20], [0, 100, 0], [0, 0, 100]]
    assert found.rows[0][2].share == 0.2
    assert [(cell.true, cell.said, cell.count) for cell in found.commonest] == [(0, 2, 20)]
    assert (found.roomy, found.left_out) == (True, 0)


def test_the_larger_the_share_the_deeper_the_colour_and_nothing_has_none(judged):
    said = np.arange(300) % 3
    said[:60:3] = 2
    levels = [[cell.level for cell in row] for row in confusion(judged(said=said)).rows]
    assert levels[0][0] > levels[0][2] > levels[0][1] == 0


def test_of_very_many_classes_those_with_mistakes_are_shown(judged):
    names = tuple(map(str, range(150)))
    said = np.arange(300) % 150
    said[149] = 3
    found = confusion(judged(said=said, names=names))
    assert len(found.classes) == MOST_CLASSES
    assert {3, 149} <= set(found.classes)
    assert found.left_out == 30
