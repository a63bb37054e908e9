import re

from hangtag.report.figures.line_chart import Series, line_chart


def chart(**changes):
    given = {
        "title": "loss, nats",
        "series": [Series("training", [1.0, 0.5, 0.25], "first"), Series("validation", [1.2, None, 0.6], "second")],
        "epochs": [1, 2, 3],
        "shown": "{:.2f}".format,
        "best": 3,
    }
    return line_chart(**{**given, **changes})


def test_says_what_each_epoch_brought_and_marks_the_best():
    drawn = chart()
    tips = re.findall(r'data-tip="([^"]*)"', drawn)
    assert tips == [
        "epoch 1: training 1.00, validation 1.20",
        "epoch 2: training 0.50",
        "epoch 3: training 0.25, validation 0.60",
    ]
    assert "best epoch: 3" in drawn
    assert "best epoch" not in chart(best=None)


def test_lines_are_told_apart_by_more_than_colour():
    drawn = chart()
    assert ">training<" in drawn
    assert ">validation<" in drawn
    assert 'class="line second"' in drawn  # dashed by the style sheet


def test_higher_is_drawn_higher():
    (line, *_) = re.findall(r'<polyline points="([^"]*)" class="line first"', chart())
    heights = [float(point.split(",")[1]) for point in line.split()]
    assert heights == sorted(heights)  # the loss falls; y grows downwards in SVG


def test_one_epoch_and_a_flat_line_are_drawn_too():
    one = line_chart("x", [Series("", [0.5], "first")], [1], "{}".format)
    flat = line_chart("x", [Series("", [0.5, 0.5], "first")], [1, 2], "{}".format, from_zero=True)
    assert "NaN" not in one + flat
    assert "circle" in one


def test_is_read_out_in_words():
    assert 'aria-label="loss, nats over 3 epochs; in the last: training 0.25; validation 0.60"' in chart()
