"""`hangtag recognise`: what people and scripts read."""

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from hangtag.cli import _run
from hangtag.cli.recognise import harmless, printable
from hangtag.core import card as cards
from hangtag.core.card import Card

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Answers with what the first ten pixels say: softmax(pixels[0, :10] / 25)."""
    from onnx import TensorProto, helper, numpy_helper

    pick = np.zeros((784, 3), np.float32)
    pick[[0, 1, 2], [0, 1, 2]] = 0.04
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", ["floats", "rows"], ["flat"]),
            helper.make_node("MatMul", ["flat", "pick"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "pick",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 28, 28])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.array([-1, 784], np.int64), "rows"), numpy_helper.from_array(pick, "pick")],
    )
    folder = tmp_path_factory.mktemp("bundles") / "pick"
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (folder / cards.ONNX).write_bytes(model.SerializeToString())
    cards.write(Card(name="pick", class_names=("Bag", "=Shirt", "Coat"), size=28, colour=False), folder)
    return folder


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, winner in {"bag.png": 0, "shirt.png": 1, "coat.png": 2}.items():
        pixels = np.zeros((28, 28), np.uint8)
        pixels[0, winner] = 100
        Image.fromarray(pixels).save(folder / name)
    return folder


@pytest.fixture
def recognise(bundle, capsysbinary):
    def run(*arguments, model=bundle) -> tuple[int, str, str]:
        status = _run(["recognise", "-m", str(model), *map(str, arguments)])
        out, err = capsysbinary.readouterr()
        return status, out.decode(), err.decode()

    return run


def test_json_is_the_promised_list_alone_on_standard_output(recognise, photos):
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (photos / "notes.txt").write_text("")
    status, out, err = recognise(photos, "missing.png", "--json", "--top", "2")
    rows = json.loads(out)
    assert status == 0
    assert [row["label"] for row in rows] == ["Bag", None, "Coat", "=Shirt", None]
    assert rows[0] == {
        "path": str(photos / "bag.png"),
        "label": "Bag",
        "confidence": pytest.approx(np.exp(4) / (np.exp(4) + 2), abs=1e-6),
        "top": [{"label": "Bag", "confidence": rows[0]["confidence"]}, rows[0]["top"][1]],
        "error": None,
        "status": "accept",
        "why": "Confidence 96.5% is at or above 90%; no threshold was measured.",
    }
    assert [row["error"] and row["error"]["code"] for row in rows] == [
        None,
        "image_truncated",
        None,
        None,
        "image_not_found",
    ]
    assert err == "3 recognised · 2 could not be · 1 other file skipped\n"


@pytest.mark.parametrize("form", ["--json", "--csv", None])
def test_exits_3_if_nothing_was_recognised(recognise, tmp_path, form):
    (tmp_path / "empty.png").touch()
    for path in (tmp_path / "empty.png", tmp_path / "missing.png"):
        status, out, _ = recognise(path, *filter(None, [form]))
        assert status == 3
        assert form != "--json" or json.loads(out)[0]["label"] is None


def test_a_folder_without_pictures_gives_an_empty_list(recognise, tmp_path):
    assert recognise(tmp_path, "--json")[:2] == (3, "[]\n")


@pytest.mark.skipif(os.name == "nt", reason="such a name cannot be there")
def test_csv_is_quoted_and_holds_no_formula(recognise, photos, monkeypatch):
    odd = photos / '-cmd|"calc", \n.png'
    (photos / "bag.png").rename(odd)
    monkeypatch.chdir(photos)
    status, out, _ = recognise("--csv", "--", odd.name, "shirt.png", "missing.png")
    rows = list(csv.reader(io.StringIO(out, newline="")))
    assert status == 0
    runners_up = ["label_2", "confidence_2", "label_3", "confidence_3"]
    assert rows[0] == ["path", "label", "confidence", *runners_up, "error", "status", "why", "member", "known"]
    assert [row[0] for row in rows[1:]] == ["'" + odd.name.replace("\n", "\\n"), "shirt.png", "missing.png"]
    assert rows[2][1] == "'=Shirt"
    assert rows[3][1:] == [""] * 6 + ["image_not_found: no such file", "", "", "", ""]
    assert out.endswith("\r\n")
    assert all(cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"} for row in rows for cell in row)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0="])
def test_a_cell_that_would_be_a_formula_is_made_text(start):
    assert harmless(start + "1+1") == "'" + start.replace("\0", "") + "1+1"
    assert harmless("shirt = 1") == "shirt = 1"


def test_the_table_shows_label_confidence_and_runners_up(recognise, photos):
    (photos / "broken.jpg").write_bytes(b"GIF89a")
    status, out, _ = recognise(photos)
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["picture", "label", "confidence", "status", "runners-up"]
    assert "Bag" in lines[2]
    assert "96.5%" in lines[2]
    assert "=Shirt 1.8%" in lines[2]
    assert "✗ not a JPEG, PNG, WebP or AVIF but a GIF" in lines[3]


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be there")
@pytest.mark.parametrize("form", ["--json", "--csv", None])
def test_odd_names_neither_break_it_nor_command_the_terminal(recognise, photos, form):
    names = [
        b"caf\xe9.png",
        b"\x1b[2J.png",
        "\u202egnp.png".encode(),
        "靴.png".encode(),
        b"[red]x.png",
        b"tab\there.png",
    ]
    content = (photos / "bag.png").read_bytes()
    for name in names:
        with open(os.path.join(os.fsencode(photos), name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(content)
    status, out, _ = recognise(photos, *filter(None, [form]))
    assert status == 0
    assert "\udce9" not in out
    if form is None:
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "[red]x.png" in out
        assert r"\x1b[2J.png" in out


def test_escapes_what_is_invisible_and_nothing_else():
    assert printable("Zoë 靴 [b].png") == "Zoë 靴 [b].png"
    assert printable("a\x07b\u200bc\x9bd") == r"a\x07b\u200bc\x9bd"


def test_a_wrong_model_is_one_line_and_status_5(photos, capfd):
    assert _run(["recognise", str(photos), "-m", "no-such-model", "--json"]) == 5
    out, err = capfd.readouterr()
    assert json.loads(out)["error"]["code"] == "bundle_not_found"
    assert err.count("\n") == 1


def test_json_and_csv_exclude_each_other(recognise, photos):
    assert recognise(photos, "--json", "--csv")[0] == 2
    assert recognise(photos, "--top", "0")[0] == 2


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from hangtag.cli import _run; _run(['recognise', '--help']);"
        "print(sorted({'numpy', 'onnxruntime', 'PIL', 'rich', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "hangtag recognise shirt.jpg" in done.stdout


def test_one_image_from_a_cold_start_needs_neither_torch_nor_onnx_nor_pillow(bundle, photos):
    script = (
        "import sys; from hangtag.cli import _run; status = _run(sys.argv[1:]);"
        "print(sorted({'torch', 'onnx', 'PIL'} & set(sys.modules)), file=sys.stderr); sys.exit(status)"
    )
    command = [sys.executable, "-c", script, "recognise", str(photos / "bag.png"), "-m", str(bundle), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[0]["label"] == "Bag"
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.fixture
def piped(bundle):
    """`hangtag recognise` in a process of its own, with something on its standard input."""

    def run(content: bytes, *arguments) -> subprocess.CompletedProcess:
        code = "from hangtag.cli import main; main()"
        command = [sys.executable, "-c", code, "recognise", "-m", str(bundle), *map(str, arguments)]
        return subprocess.run(command, input=content, capture_output=True, check=False)

    return run


def test_a_dash_reads_standard_input(piped, photos):
    content = (photos / "bag.png").read_bytes()
    done = piped(content, "--json", photos / "shirt.png", "-", photos / "coat.png", "-")
    rows = json.loads(done.stdout)
    assert [row["label"] for row in rows] == ["=Shirt", "Bag", "Coat", "Bag"]
    assert [row["path"] for row in rows] == [str(photos / "shirt.png"), "-", str(photos / "coat.png"), "-"]
    empty = piped(b"", "-", "--json")
    assert (empty.returncode, json.loads(empty.stdout)[0]["error"]["code"]) == (3, "image_empty")
    assert b"'-,Bag" in piped(content, "-", "--csv").stdout


def test_a_dash_without_standard_input_is_one_line(recognise, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    status, out, err = recognise("-")
    assert (status, out) == (2, "")
    assert "standard input, which is closed" in err


@pytest.mark.skipif(os.name == "nt", reason="has no such terminals")
def test_a_dash_at_a_terminal_does_not_wait_for_it(recognise, monkeypatch):
    leader, terminal = os.openpty()
    with open(terminal) as stdin:  # noqa: PTH123
        monkeypatch.setattr(sys, "stdin", stdin)
        status, _, err = recognise("-")
    os.close(leader)
    assert status == 2
    assert "which is the terminal" in err


def test_addresses_and_empty_paths_are_each_named(recognise, photos, monkeypatch):
    monkeypatch.chdir(photos)
    status, out, _ = recognise("https://x.org/y.jpg", "", "bag.png", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["path"] for row in rows] == ["https://x.org/y.jpg", "", "bag.png"]
    assert [row["error"] and row["error"]["code"] for row in rows] == ["image_address", "image_not_found", None]
    assert "https://x.org/y.jpg is an address" in rows[0]["error"]["message"]


def test_the_status_is_a_word_in_the_table_and_counted_in_the_summary(recognise, photos):
    Image.fromarray(np.pad(np.full((20, 20), 30, np.uint8), 4)).save(photos / "faint.png")
    status, out, err = recognise(photos)
    words = {line.split()[0].rpartition("/")[2]: line for line in out.splitlines()[2:]}
    assert status == 0
    assert "accepted" in words["bag.png"]
    assert "unsure" in words["faint.png"]
    assert "4 recognised: 3 accepted, 1 unsure" in err


def test_what_shows_none_of_the_classes_is_named_counted_and_recorded(recognise, tmp_path, make_member):
    decision = {"curve": [[0.5, 0.9, 0.99]], "n": 100, "data": "x", "known": 0.2}
    make_member("strict", 48, True, known=True, decision=decision)
    noise = np.random.default_rng(0).integers(0, 40, (60, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "dark.png")
    status, out, err = recognise(tmp_path / "dark.png", model=tmp_path / "strict")
    assert (status, "none of these" in out) == (0, True)
    assert "1 recognised: 1 none of these" in err
    _, out, _ = recognise("--csv", tmp_path / "dark.png", model=tmp_path / "strict")
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["status"] == "none_of_these"
    assert row["why"].startswith("It looks too little like any of the classes")
    assert 0 < float(row["known"]) < 0.2


@pytest.mark.parametrize("share", ["98", "0", "x"])
def test_an_accuracy_to_accept_at_is_a_share(recognise, photos, share):
    status, _, err = recognise("--accept-at", share, photos)
    assert status == 2
    assert err.strip().count("\n") == 0
