"""A run that nobody draws still says how it goes."""

import pytest

from hangtag import watch
from hangtag.training.loop import Epoch, Progress


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1:00"), (3_700, "1:01:40")])
def test_times_read_as_people_say_them(seconds, text):
    assert watch.clock(seconds) == text


def test_each_epoch_is_one_line_with_the_time_left(capsys):
    last = Epoch(epoch=1, loss=0.5, accuracy=0.8, val_loss=0.4, val_accuracy=0.9, learning_rate=0.1, seconds=61)
    told = watch.lines()
    for step, ended in ((1, False), (10, True)):
        told.progress(
            Progress(
                step=step, steps=20, epoch=1, epochs=2, loss=0.5, images_per_s=9, eta_s=75, last=last, epoch_ended=ended
            )
        )
    told.message("a \x1b[31mred\x1b[0m name")
    header, epoch, message = capsys.readouterr().err.splitlines()
    assert header == watch.HEADER
    assert "90.00%" in epoch
    assert epoch.endswith("1:15 left")
    assert "\x1b" not in message


def test_an_epoch_without_validation_shows_none():
    full = Epoch(epoch=3, loss=0.5, accuracy=0.8, val_loss=None, val_accuracy=None, learning_rate=0.1, seconds=61)
    assert watch.epoch_line(full).split() == ["3", "0.5000", "80.00%", "1:01"]
