import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import hangtag.evaluation
from hangtag.cli.evaluate import command
from hangtag.data.sets.drawn import draw
from hangtag.evaluation import Evaluation

SCORES = {"accuracy": 0.95, "loss": 0.2, "precision": 0.95, "recall": 0.95, "f1": 0.95, "ece": 0.01}


@pytest.fixture
def asked(monkeypatch):
    asked = []

    def evaluate_bundle(bundle, data, split, progress, engine):
        asked.append((bundle, data, split, engine))
        progress("judging", 20, 20)
        return Evaluation(("Shirt", "Coat"), np.array([[10, 0], [1, 9]]), SCORES, "some", "drawn, test split")

    monkeypatch.setattr(hangtag.evaluation, "evaluate_bundle", evaluate_bundle)
    return asked


def test_json_stands_alone_on_standard_output(asked):
    result = CliRunner().invoke(command, ["some", "--json"], catch_exceptions=False)
    record = json.loads(result.stdout)
    assert (record["n"], record["confusion"]) == (20, [[10, 0], [1, 9]])
    assert asked == [("some", None, "test", "onnxruntime")]


def test_prints_accuracy_matrix_and_mistakes(asked):
    result = CliRunner().invoke(
        command, ["some", "--split", "val", "--data", "there", "--engine", "openvino"], catch_exceptions=False
    )
    assert "95.00%" in result.stdout
    assert "Coat taken for Shirt" in result.stdout
    assert asked == [("some", "there", "val", "openvino")]


def test_help_shows_an_example():
    assert "hangtag evaluate default" in CliRunner().invoke(command, ["--help"]).output


def test_photos_under_other_names_are_numbers_for_people_and_for_programs(tmp_path):
    for name, label in {"pants": 1, "tees": 0, "scribbles": None}.items():
        (tmp_path / name).mkdir()
        for i in range(3):
            rng = np.random.default_rng([len(name), i])
            image = rng.integers(0, 255, (28, 28)).astype(np.uint8) if label is None else draw(label, rng)
            Image.fromarray(image).save(tmp_path / name / f"{i}.png")
    words = ["default", "--data", str(tmp_path), "--map", "pants=Trouser,tees=T-shirt/top"]
    shown = CliRunner().invoke(command, words, catch_exceptions=False)
    assert "of 6 photos right" in shown.output
    assert "photos of none of the classes   3" in shown.output
    found = json.loads(CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False).stdout)
    assert (found["n"], found["none_of_these"]["n"]) == (6, 3)
    assert CliRunner().invoke(command, ["default", "--map", "a=b"]).exit_code == 2
    assert CliRunner().invoke(command, [*words, "--by", "sender"]).exit_code == 2
