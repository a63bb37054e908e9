"""The classical path of `hangtag.experiment`: from a folder of pictures to a bundle, or to word that there is none."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from hangtag import experiment, predict, recipes
from hangtag.core.errors import HangtagError
from hangtag.core.recipe import override

SETTINGS = ["size=16", "estimator.max_iter=20"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    for name, level in (("dark", 60), ("light", 200)):
        (folder / name).mkdir()
        for i in range(24):
            pixels = generator.integers(0, 256, (16, 16))
            pixels[:, : 4 if name == "dark" else 12] = level
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")
    return str(folder)


def run(name, pictures, out, **given):
    recipe = override(recipes.create(name), SETTINGS if name == "logistic" else SETTINGS[:1])
    return experiment.run(recipe, data=pictures, out=out, **given)


def test_bundle_opens_and_its_card_tells_the_proof(pictures, tmp_path):
    result = run("logistic", pictures, tmp_path)
    recogniser = predict.load(result.bundle)
    assert recogniser.card.parity["n"] > 0
    assert recogniser.card.parity["max_abs_difference"] < 1e-4
    assert recogniser.card.metrics["validation"]["accuracy"] == result.val_accuracy
    assert recogniser.class_names == ("dark", "light")
    assert result.params is None
    assert result.seconds > 0
    assert result.peak_rss_mb > 10


def test_without_onnx_form_there_is_no_bundle_and_it_is_said(pictures, tmp_path):
    said = []
    result = run("knn", pictures, tmp_path, watch=experiment.Watch(message=said.append))
    assert result.bundle is None
    assert result.val_accuracy is not None
    assert any("comparison only" in text for text in said)
    assert not (tmp_path / "bundle").exists()


def test_a_finished_run_is_not_fitted_again(pictures, tmp_path):
    first = run("knn", pictures, tmp_path)
    assert run("knn", pictures, tmp_path) == first


def test_full_leaves_nothing_to_validate_on(pictures, tmp_path):
    assert run("logistic", pictures, tmp_path, full=True).val_accuracy is None


def test_a_model_without_a_bundle_is_handed_to_whoever_asks(pictures, tmp_path):
    kept: list = []
    assert run("knn", pictures, tmp_path / "knn", keep=kept.append).bundle is None
    (predictor,) = kept
    assert predictor.predict_proba(np.zeros((2, 16, 16), np.uint8)).shape == (2, len(predictor.class_names))
    run("knn", pictures, tmp_path / "knn", keep=kept.append)  # finished: nothing is fitted again
    run("logistic", pictures, tmp_path / "logistic", keep=kept.append)  # its bundle holds it
    assert len(kept) == 1


def test_refuses_a_device_it_cannot_use(pictures, tmp_path):
    with pytest.raises(HangtagError, match="CPU only") as caught:
        run("knn", pictures, tmp_path, device="cuda")
    assert caught.value.code == "usage_device"


def test_interrupted_leaves_nothing_half_written(pictures, tmp_path, monkeypatch):
    from hangtag import classical

    def interrupted(recipe, training, message):
        raise KeyboardInterrupt

    monkeypatch.setattr(classical, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("logistic", pictures, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"run.json", ".lock"}
    monkeypatch.undo()
    assert run("logistic", pictures, tmp_path).bundle is not None  # the same call goes on


@pytest.mark.slow
def test_torch_is_never_loaded(pictures, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from hangtag import experiment, recipes\n"
        "from hangtag.core.recipe import override\n"
        "recipe = override(recipes.create('logistic'), ['size=16', 'estimator.max_iter=5'])\n"
        "assert experiment.run(recipe, data=sys.argv[1], out=Path(sys.argv[2])).bundle\n"
        "assert 'torch' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code, pictures, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
