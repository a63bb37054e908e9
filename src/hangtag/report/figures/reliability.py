"""A reliability diagram: what the model said it was sure of against what was right, and how many pictures each bar is.

Source: Niculescu-Mizil and Caruana 2005, "Predicting Good Probabilities with Supervised Learning".
"""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from hangtag.core.types import Labels, Probabilities
from hangtag.report.figures.svg import Scale, figure, polyline, tag, text

BINS = 15  # as `metrics.ece` has
WIDTH, HEIGHT = 380, 372
_LEFT, _RIGHT, _TOP = 46, 14, 30
_FLOOR, _COUNTS_TOP, _COUNTS_FLOOR = 266, 284, 332


def reliability(probabilities: Probabilities, labels: Labels, after: Probabilities | None) -> Markup:
    """Bars before, a line after temperature scaling.

    Args:
        probabilities: (N, K) as served.
        labels: (N,).
        after: (N, K) with the temperature, or None.
    """
    x = Scale(0, 1, _LEFT, WIDTH - _RIGHT)
    y = Scale(0, 1, _FLOOR, _TOP)
    counts, confidence, right = _bins(probabilities, labels)
    most = int(counts.max())
    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(text(_LEFT - 7, y(tick) + 4, f"{tick:.0%}", anchor="end"))
        parts.append(text(x(tick), _COUNTS_FLOOR + 17, f"{tick:.0%}", anchor="end" if tick == 1 else "middle"))
    parts.append(text(0, 13, "share that is right", "title"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 4, "confidence", anchor="middle"))
    width = (WIDTH - _LEFT - _RIGHT) / BINS
    hits = []
    for i in range(BINS):
        if not counts[i]:
            continue
        left = _LEFT + i * width
        top, meant = y(float(right[i])), y(float(confidence[i]))
        bar = tag("rect", x=left + 1.5, y=top, width=width - 3, height=_FLOOR - top, class_="bar", rx=1.5)
        gap = tag(
            "rect", x=left + 1.5, y=min(top, meant), width=width - 3, height=abs(top - meant), class_="gap", rx=1.5
        )
        high = 40 * float(np.log1p(counts[i]) / np.log1p(most))
        count = tag("rect", x=left + 1.5, y=_COUNTS_FLOOR - high, width=width - 3, height=high, class_="count", rx=1.5)
        hit = tag("rect", x=left, y=_TOP, width=width, height=_COUNTS_FLOOR - _TOP, class_="hit")
        told = f"{counts[i]:,} pictures: says {confidence[i]:.1%}, right {right[i]:.1%}"
        hits.append(tag("g", bar, gap, count, hit, class_="point", data_tip=told))
    parts += hits
    parts.append(tag("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="diagonal"))
    if after is not None:
        counts_after, confidence_after, right_after = _bins(after, labels)
        points = [
            (x(float(c)), y(float(r)))
            for n, c, r in zip(counts_after, confidence_after, right_after, strict=True)
            if n >= 10  # bins of a few pictures jump
        ]
        parts.append(polyline(points, "line second"))
        parts += [tag("circle", cx=px, cy=py, r=3, class_="dot second always") for px, py in points]
    parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=_FLOOR, y2=_FLOOR, class_="axis"))
    parts.append(tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=_COUNTS_FLOOR, y2=_COUNTS_FLOOR, class_="axis"))
    parts.append(text(_LEFT - 7, _COUNTS_TOP + 24, "pictures", anchor="end"))
    parts.append(text(_LEFT - 7, _COUNTS_TOP + 36, "(log)", anchor="end"))
    legend = Markup().join(
        [
            tag("rect", x=164, y=5, width=12, height=9, class_="bar", rx=1.5),
            text(180, 13, "as served"),
            *(
                [
                    tag("line", x1=248, x2=270, y1=9, y2=9, class_="line second"),
                    text(275, 13, "with temperature"),
                ]
                if after is not None
                else []
            ),
        ]
    )
    parts.append(legend)
    return figure(WIDTH, HEIGHT, "Reliability: share right by confidence, in 15 bins", *parts)


def _bins(probabilities: Probabilities, labels: Labels) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per bin: pictures, mean confidence, share right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(bin_of, minlength=BINS)
    sums = (np.bincount(bin_of, weights, BINS) for weights in (confidence, correct.astype(np.float64)))
    means = [total / np.maximum(counts, 1) for total in sums]
    return counts, means[0], means[1]
