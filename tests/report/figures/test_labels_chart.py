from hangtag.report.figures.labels_chart import Line, labels_chart


def point(labels, accuracy):
    return labels, accuracy, (accuracy - 0.02, accuracy + 0.02)


def test_draws_a_line_for_each_way_and_says_every_point():
    lines = [
        Line("frozen <b>", [point(10, 0.7), point(100, 0.9)], "first"),
        Line("scratch", [point(10, 0.5), point(100, 0.9)], "faint"),
        Line("none", [], "second"),
    ]
    drawn = labels_chart("accuracy", lines)
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 4
    assert "frozen &lt;b&gt;" in drawn
    assert "frozen <b>" not in drawn
    assert "10 labels of each class: 70.0%, 95% interval 68.0% to 72.0%" in drawn


def test_one_number_of_labels_is_a_figure_too():
    assert "NaN" not in labels_chart("accuracy", [Line("a", [point(10, 1.0)], "first")])


def test_names_of_lines_that_end_together_do_not_overlap():
    drawn = labels_chart("accuracy", [Line(str(i), [point(10, 0.5), point(99, 0.9)], "first") for i in range(3)])
    places = [float(part.split('y="')[1].split('"')[0]) for part in drawn.split("<text") if "strong" in part]
    assert min(abs(a - b) for i, a in enumerate(places) for b in places[:i]) >= 12
