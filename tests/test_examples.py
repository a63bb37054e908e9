"""The examples run as they stand."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from hangtag.data.sets import drawn

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_your_model_learns_drawn_garments(tmp_path, capsys):
    example("your_model").main(tmp_path / "run")
    assert "tiny" in capsys.readouterr().out
    assert (tmp_path / "run" / "bundle" / "model.onnx").exists()


@pytest.mark.slow
def test_your_photos_learns_a_folder_of_folders(tmp_path, capsys):
    split = drawn.pictures(60, seed=3)
    for i, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        folder = tmp_path / "photos" / f"kind {label % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).resize((90, 120)).save(folder / f"{i}.jpg")
    example("your_photos").main(tmp_path / "photos", tmp_path / "run", epochs=1)
    assert "kind" in capsys.readouterr().out


def test_every_example_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"your_model", "your_photos"}
