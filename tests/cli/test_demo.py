"""The demo from end to end, on few pictures: what a newcomer sees, whatever the classes are called."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from hangtag import cli
from hangtag.data.sets import drawn

pytestmark = pytest.mark.slow  # a network is trained


@pytest.fixture(autouse=True)
def _few_drawings(monkeypatch, tmp_path):
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 240)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 40)
    monkeypatch.chdir(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be there")
def test_names_of_classes_command_no_terminal(tmp_path, capsys):
    for label, shade in (("coat", 40), ("h\x1b[31mat [/x]", 200)):
        (tmp_path / "my wares" / label).mkdir(parents=True)
        for i in range(20):
            picture = Image.fromarray(np.full((28, 28), shade + i, dtype=np.uint8))
            picture.save(tmp_path / "my wares" / label / f"{i}.png")
    assert cli._run(["demo", "--data", str(tmp_path / "my wares")]) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "h\\x1b[31" in shown.out  # a tile is 14 characters wide
    assert "ls 'runs/demo/my wares/bundle'" in shown.out
    assert f"bundle'--data'{tmp_path}" in "".join(shown.out.replace("│", "").split())


def test_where_nothing_can_be_fetched_it_goes_on_with_drawn_garments(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("HANGTAG_DATA", raising=False)
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HANGTAG_MIRRORS", "http://127.0.0.1:1/")
    assert cli._run(["demo", "--json"]) == 0
    shown = capsys.readouterr()
    assert "drawn garments instead" in " ".join(shown.err.split())
    record = json.loads(shown.out)
    assert record["data"] == "drawn"
    assert len(record["recognise"]) == 10
    assert record["evaluate"]["n"] == 40


def test_a_place_that_was_named_is_never_replaced(tmp_path, capsys):
    assert cli._run(["demo", "--data", str(tmp_path / "nowhere")]) == 4
    assert "nowhere" in capsys.readouterr().err
