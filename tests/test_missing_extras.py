"""Without an extra, a command that needs it ends with the one line that names it, and exit status 9."""

import json
import os
import subprocess
import sys

import pytest

from hangtag.core.optional import EXTRAS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each command runs in a fork of a fresh process"),
]

EVERYTHING = sorted({module for modules in EXTRAS.values() for module in modules})
SPACE = ("--space", "lr=1e-3..1e-2")
NEEDS = {  # command -> the extra that is named where none is installed
    ("train", "lenet5"): "train",
    ("train", "photos"): "train",
    ("train", "knn"): "classical",
    ("train", "svm"): "classical",
    ("distill", "default", "--into", "lenet5"): "train",
    ("ensemble", "default", "default"): "train",
    ("demo",): "train",
    ("tune", "lenet5", *SPACE): "tune",
    ("tune", "knn", "--space", "k=1,3"): "tune",
    ("tune", "lenet5", *SPACE, "--storage", "postgresql://a:b@127.0.0.1:1/c"): "tune",
    ("compare", "lenet5", "knn"): "report",
    ("compare", "default"): "report",
    ("compare", "model.keras"): "report",
    ("transfer", "--from", "0-4", "--to", "5-9"): "report",
    ("transfer", "--start", "imagenet"): "report",
    ("report", "default"): "report",
    ("report", "default", "default"): "report",
    ("data", "audit", "--labels", "out-of-fold"): "report",
    ("serve", "default", "--port", "0"): "serve",
    ("recognise", "photo.png", "--engine", "openvino"): "openvino",
    ("predict", "photo.png", "--engine", "openvino"): "openvino",
    ("evaluate", "default", "--engine", "openvino"): "openvino",
}
ALONE = {  # what is missing alone, and the command that then says so
    "postgres": ("tune", "knn", "--space", "k=1,3", "--storage", "postgresql://a:b@127.0.0.1:1/c"),
    "timm": ("train", "lenet5", "--set", "model=timm", "--set", "model.model=resnet18"),
    "imagenet": ("train", "photos"),
    "tune": ("tune", "lenet5", *SPACE),
    "openvino": ("recognise", "photo.png", "--engine", "openvino"),
    "serve": ("serve", "default", "--port", "0"),
}
PROGRAM = """
import json, os, sys
import click, numpy, onnxruntime, rich.console
import PIL.Image
from hangtag import cli

class Missing:
    def __init__(self, names): self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for words, missing in json.load(sys.stdin):
    sys.stdout.flush()
    reading, writing = os.pipe()
    if not os.fork():
        os.dup2(writing, 1), os.dup2(writing, 2), os.close(reading)
        sys.meta_path.insert(0, Missing(missing))
        status = cli._run(words)
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    print(json.dumps([words, os.waitstatus_to_exitcode(os.wait()[1]), text]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from PIL import Image

    from hangtag.data import idx
    from hangtag.data.sets import drawn

    folder = tmp_path_factory.mktemp("missing")
    for half, count in (("train", 60), ("t10k", 20)):
        split = drawn.pictures(count, 1)
        (folder / f"{half}-images-idx3-ubyte").write_bytes(idx.encode(split.images))
        (folder / f"{half}-labels-idx1-ubyte").write_bytes(idx.encode(split.labels.astype("uint8")))
    Image.fromarray(split.images[0]).save(folder / "photo.png")
    (folder / "model.keras").write_bytes(b"PK\x05\x06" + bytes(18))
    return folder


def run(folder, cases):
    """Each command without the modules beside it -> {words: (status, what it printed)}."""
    takes_data = [not {"recognise", "predict", "serve"} & {words[0]} for words, _ in cases]
    given = [
        ([*words, *(["--data", f"mnist={folder}"] if data else [])], missing)
        for (words, missing), data in zip(cases, takes_data, strict=True)
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(given), cwd=folder, capture_output=True, text=True, check=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {tuple(words): (status, text) for (words, _), (_, status, text) in zip(cases, found, strict=True)}


@pytest.fixture(scope="module")
def bare(folder):
    return run(folder, [(words, EVERYTHING) for words in NEEDS])


@pytest.mark.parametrize(("words", "extra"), NEEDS.items(), ids=map(" ".join, NEEDS))
def test_where_none_is_installed_a_command_names_the_one_it_needs(bare, words, extra):
    status, text = bare[words]
    assert status == 9, text
    assert text.count("\n") == 1
    assert text.startswith("error: this needs ")
    assert f"which is not installed: pip install 'hangtag[{extra}]' (in this checkout: pip install -e " in text


@pytest.mark.slow
@pytest.mark.parametrize(("extra", "words"), ALONE.items(), ids=ALONE)
def test_where_one_is_missing_it_is_named_by_what_needs_it(folder, extra, words):
    status, text = run(folder, [(words, EXTRAS[extra])])[words]
    assert status == 9, text
    assert f"which is not installed: pip install 'hangtag[{extra}]' (in this checkout: pip install -e " in text
