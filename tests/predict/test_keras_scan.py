import json
import zipfile

import pytest

from hangtag.core.errors import HangtagError
from hangtag.predict.keras_scan import refuse_code


def layer(name: str, module: str | None = "keras.layers", **more) -> dict:
    return {"module": module, "class_name": name, "config": {"name": "x"}, "registered_name": None, **more}


def save(path, *layers, members=("metadata.json", "model.weights.h5")):
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"layers": list(layers)},
        "registered_name": None,
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        for member in members:
            archive.writestr(member, b"{}")
    return path


def test_layers_of_keras_pass(tmp_path):
    tuple_ = {"class_name": "__tuple__", "items": [1, 2]}
    initialiser = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    plain = layer("Conv2D", config={"name": "conv", "strides": tuple_, "bias": initialiser, "dtype": policy})
    refuse_code(save(tmp_path / "m.keras", plain, layer("Dense"), layer("Functional", "keras.src.models.functional")))


@pytest.mark.parametrize(
    ("bad", "hint"),
    [
        (layer("Lambda", config={"function": {"class_name": "__lambda__", "config": {"code": "eA=="}}}), "lambda"),
        (layer("Dense", config={"activation": {"class_name": "__lambda__"}}), "lambda"),
        (layer("run", "subprocess"), "subprocess"),
        (
            layer("Dense", config={"activation": {"module": "builtins", "class_name": "function", "config": "exec"}}),
            "lambda",
        ),
        (layer("get_file", "keras.utils"), "keras.utils"),
        (layer("x", "keras.layers.core\nos"), "not Keras"),
        (layer("x", "kerasevil.layers"), "kerasevil"),
        (layer("x", ["os"]), "not Keras"),
        (layer("Own", None, registered_name="theirs>Own"), "theirs>Own"),
        (layer("TorchModuleWrapper"), "TorchModuleWrapper"),
    ],
)
def test_whatever_else_a_file_names_is_refused_by_name(tmp_path, bad, hint):
    with pytest.raises(HangtagError, match=hint) as caught:
        refuse_code(save(tmp_path / "m.keras", layer("Dense"), bad))
    assert caught.value.code == "bundle_unsafe"
    assert "not opened" in caught.value.message


def test_a_file_with_more_inside_than_keras_puts_there_is_refused(tmp_path):
    with pytest.raises(HangtagError, match="assets") as caught:
        refuse_code(save(tmp_path / "m.keras", members=("model.weights.h5", "assets/x")))
    assert caught.value.code == "bundle_unsafe"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_what_is_no_keras_file_is_damaged(tmp_path, content):
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(HangtagError) as caught:
        refuse_code(tmp_path / "m.keras")
    assert caught.value.code == "bundle_damaged"


@pytest.mark.parametrize("name", [[], {}, 3])
def test_a_class_whose_name_is_no_word_is_damaged(tmp_path, name):
    with pytest.raises(HangtagError, match="as the name of a class") as caught:
        refuse_code(save(tmp_path / "m.keras", layer("Dense"), layer(name)))
    assert caught.value.code == "bundle_damaged"


def test_a_stream_that_does_not_unpack_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({"a": list(range(1000))}))
        archive.writestr("model.weights.h5", b"")
    content = bytearray((tmp_path / "m.keras").read_bytes())
    content[41:80] = b"\xff" * 39  # behind the header, of 30 bytes and the name
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(HangtagError) as caught:
        refuse_code(tmp_path / "m.keras")
    assert caught.value.code == "bundle_damaged"


def test_a_zip_of_something_else_says_what_it_lacks(tmp_path):
    with pytest.raises(HangtagError, match=r"lacks config\.json") as caught:
        refuse_code(save(tmp_path / "m.keras", members=()))
    assert caught.value.code == "bundle_damaged"
