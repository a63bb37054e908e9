"""A study from end to end on drawn garments; its tasks run in this process, as `test_process` has tried the others."""

import importlib
import json
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest

from hangtag.core.errors import HangtagError
from hangtag.data.sets import drawn
from hangtag.study import compare as module
from hangtag.study.compare import StudyWatch, compare
from hangtag.study.contestants import read
from hangtag.study.page import write
from hangtag.watch import Watch

pytestmark = pytest.mark.slow  # small networks are trained over and over


@pytest.fixture(scope="module")
def garments():
    return {n: drawn.pictures(n, seed) for n, seed in ((400, 0), (150, 1))}


@pytest.fixture
def place(tmp_path, monkeypatch, garments):
    """An empty folder, few garments, quick timing, and tasks that are asked for in this process: `place.asked`."""
    from hangtag.study import latency

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drawn, "TRAINING_PICTURES", 400)
    monkeypatch.setattr(drawn, "TEST_PICTURES", 150)
    monkeypatch.setattr(drawn, "pictures", lambda n, *rest: garments[n])
    monkeypatch.setattr(latency, "_ROUNDS", 3)
    asked: list[tuple[str, dict]] = []

    def ask(task, arguments, log, hear=lambda told: None):
        asked.append((task, arguments))
        name, _, function = task.partition(":")
        found = getattr(importlib.import_module(f"hangtag.study.{name}"), function)(**arguments, watch=Watch())
        return json.loads(json.dumps(found))

    monkeypatch.setattr(module, "ask", ask)
    for name, settings in (
        ("tiny", {"model": {"name": "lenet5", "filters": [2, 4]}, "epochs": 1, "batch_size": 64}),
        ("wrong", {"model": "lenet5", "epochs": 1, "optimiser": {"name": "sgd", "lr": 1e30}}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": name, **settings}))
    return SimpleNamespace(path=tmp_path, asked=asked)


def trained(place) -> list[str]:
    """Which recipes were trained, with their seeds."""
    return [f"{a['recipe']['name']} {a['recipe']['seed']}" for task, a in place.asked if task == "judged_run:train"]


def test_rows_pairs_and_files(place):
    found = compare(read(["tiny.json", "logistic", "knn"]), [3, 4], data="drawn")
    write(found)
    assert trained(place) == [f"{name} {seed}" for seed in (3, 4) for name in ("tiny", "logistic", "knn")]
    record = json.loads((found.folder / "compare.json").read_text())
    assert record == json.loads(json.dumps(found.to_dict()))
    accuracies = [row["accuracy"]["mean"] for row in record["rows"]]
    assert accuracies == sorted(accuracies, reverse=True)
    rows = {row["recipe"]: row for row in record["rows"]}
    for row in rows.values():
        assert (row["n"], row["seeds"], row["failed"]) == (2, [3, 4], [])
        assert len(row["accuracy"]["values"]) == 2
        assert row["seconds"]["mean"] > 0
        assert row["p50_ms"] <= row["p99_ms"]
        assert row["images_per_s"] > 0
        assert row["fit"]["code"] in ("HT000", "HT001", "HT002")
        assert 0 < row["val_accuracy"]["mean"] <= 1
    assert rows["knn"]["bundles"] == []  # no ONNX form: judged and timed all the same
    assert rows["knn"]["file_mb"] is None
    assert rows["tiny"]["params"] > 0
    assert len(rows["tiny"]["bundles"]) == 2
    assert len(record["pairs"]) == 3
    assert all(pair["interval"] == "pictures" for pair in record["pairs"])
    assert (record["split"], record["pictures"], record["data"]) == ("test", 150, "drawn")
    ElementTree.fromstring((found.folder / "accuracy_against_time.svg").read_text())
    page = (found.folder / "compare.html").read_text()
    assert all(name in page for name in rows)
    assert "choosing" not in page or "--split val" in page
    assert (found.folder / "compare.csv").read_text().splitlines()[0].startswith("recipe,split,n,seeds,accuracy_mean")
    assert "| `tiny` |" in (found.folder / "compare.md").read_text()


def test_the_same_call_goes_on_and_after_the_end_trains_nothing(place, monkeypatch):
    words, out = ["tiny.json", "logistic"], place.path / "study"
    ask, calls = module.ask, []

    def stop_at_the_second(task, *rest):
        calls.append(task)
        if len(calls) == 3:  # rehearse, train, and now
            raise KeyboardInterrupt
        return ask(task, *rest)

    monkeypatch.setattr(module, "ask", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        compare(read(words), data="drawn", out=out)
    monkeypatch.setattr(module, "ask", ask)
    first = compare(read(words), data="drawn", out=out)
    assert trained(place) == ["tiny 0", "logistic 0"]
    again = compare(read(words), data="drawn", out=out)
    assert trained(place) == ["tiny 0", "logistic 0"]
    assert again.to_dict() == first.to_dict()
    (out / "logistic" / "seed-0" / "answers.npy").write_bytes(b"damaged")
    compare(read(words), data="drawn", out=out)
    assert len(trained(place)) == 3


def test_another_command_on_the_same_folder_is_refused(place):
    out = place.path / "study"
    compare(read(["logistic"]), data="drawn", out=out)
    with pytest.raises(HangtagError, match="split: 'test' there, 'val' asked") as caught:
        compare(read(["logistic"]), data="drawn", out=out, split="val")
    assert caught.value.code == "run_other_settings"
    mine = place.path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    with pytest.raises(HangtagError, match=r"thesis\.txt") as caught:
        compare(read(["logistic"]), data="drawn", out=mine)
    assert caught.value.code == "run_damaged"


def test_a_run_that_fails_is_marked_and_tried_again(place):
    out, lines = place.path / "study", []
    found = compare(read(["wrong.json", "logistic"]), data="drawn", out=out, watch=StudyWatch(ended=lines.append))
    write(found)
    assert [row.name for row in found.rows] == ["logistic", "wrong"]
    (failure,) = found.to_dict()["rows"][1]["failed"]
    assert failure["seed"] == 0
    assert failure["error"]["code"] == "training_not_finite"
    assert any(line.startswith("wrong, seed 0: failed, ") for line in lines)
    assert "failed" in (out / "compare.html").read_text()
    compare(read(["wrong.json", "logistic"]), data="drawn", out=out)
    assert trained(place).count("wrong 0") == 2


def test_a_wrong_option_in_the_last_recipe_is_told_before_the_first_is_trained(place):
    (place.path / "typo.json").write_text(json.dumps({"name": "typo", "model": {"name": "lenet5", "filtres": [2, 4]}}))
    with pytest.raises(HangtagError, match="filters") as caught:
        compare(read(["logistic", "typo.json"]), data="drawn")
    assert caught.value.code == "usage_unknown_key"
    assert trained(place) == []


def test_where_nothing_comes_through_the_first_error_is_told(place):
    with pytest.raises(HangtagError, match="no run came through") as caught:
        compare(read(["wrong.json"]), data="drawn")
    assert caught.value.code == "training_not_finite"


def test_the_test_pictures_are_not_opened_to_choose(place, monkeypatch):
    def opened(*arguments):
        raise AssertionError("the test half was opened")

    find = module.datasets.find

    def without_test(*arguments, **options):
        import dataclasses

        return dataclasses.replace(find(*arguments, **options), test=opened)

    monkeypatch.setattr(module.datasets, "find", without_test)
    found = compare(read(["logistic", "tiny.json"]), data="drawn", split="val")
    assert found.split == "val"
    assert found.pictures == 400 // 12
    row = found.rows[0].to_dict()
    assert row["accuracy"]["mean"] == pytest.approx(row["val_accuracy"]["mean"])


def test_a_budget_sets_the_epochs_of_networks_and_marks_what_took_longer(place, monkeypatch):
    probed = {"startup_s": 1.0, "step_s": 0.1, "epoch_s": 0.4, "steps": 20}
    ask = module.ask
    monkeypatch.setattr(module, "ask", lambda task, *rest: probed if task == "budget:probe" else ask(task, *rest))
    found = compare(read(["tiny.json", "logistic"]), [0, 1], data="drawn", budget_s=2.0)
    by_name = {row.name: row for row in found.rows}
    assert by_name["tiny"].first("epochs") == 2
    assert by_name["logistic"].first("epochs") is None
    assert by_name["logistic"].over_budget  # this process is older than two seconds
    assert "logistic" in [over["recipe"] for over in found.to_dict()["budget_exceeded"]]
    kept = json.loads((found.folder / "tiny" / "probe.json").read_text())
    assert kept == probed


def test_models_that_are_there_already_are_judged_beside_recipes(place):
    first = compare(read(["tiny.json"]), data="drawn", out=place.path / "one")
    bundle = first.rows[0].first("bundle")
    found = compare(read(["logistic", bundle]), data="drawn", out=place.path / "two")
    assert trained(place) == ["tiny 0", "logistic 0"]
    row = next(row for row in found.rows if row.name == "tiny")
    assert row.seeds == (None,)
    assert row.to_dict()["seeds"] == []
    assert row.accuracy == first.rows[0].accuracy
    assert row.first("val_accuracy") == pytest.approx(first.rows[0].first("val_accuracy"))
    (pair,) = found.pairs
    assert pair.interval == "pictures"


def test_a_file_that_others_made_is_judged_beside_them(place):
    from onnx import TensorProto, helper, numpy_helper

    training = drawn.pictures(400, 0)
    flat = training.images.reshape(400, -1) / 127.5 - 1  # made for pixels from -1 to 1
    weights = np.linalg.solve(flat.T @ flat + 30 * np.eye(784), flat.T @ np.eye(10)[training.labels])
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "rows"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])],
        "theirs",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])],
        [
            numpy_helper.from_array(np.array([-1, 784], np.int64), "rows"),
            numpy_helper.from_array(weights.astype(np.float32), "w"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (place.path / "theirs.onnx").write_bytes(model.SerializeToString())
    found = compare(read(["theirs.onnx", "logistic"]), data="drawn")
    row = next(row for row in found.rows if row.name == "theirs.onnx")
    assert row.accuracy > 0.5
    assert row.first("remark").startswith("reads pixels as ")
    record = row.to_dict()
    assert record["seconds"] is None
    assert record["peak_rss_mb"] is None
    assert record["p50_ms"] > 0
    write(found)


def partial(place, name, classes, **more):
    """A recipe file of some classes."""
    model = {"name": "lenet5", "filters": [2, 4]}
    recipe = {"name": name, "model": model, "epochs": 1, "batch_size": 64, "classes": classes, **more}
    (place.path / f"{name}.json").write_text(json.dumps(recipe))
    return f"{name}.json"


def test_models_of_some_classes_are_judged_on_these(place):
    half = partial(place, "half", ["5-9"])
    found = compare(read([half]), data="drawn")
    assert found.pictures == 75
    (row,) = found.rows
    assert next(iter(row.per_class)) == "Sandal"
    assert row.first("n") == 75
    again = compare(read([row.first("bundle")]), data="drawn", split="val")
    assert again.rows[0].first("n") == 15  # of 33 held out of 400


def test_models_of_different_classes_are_refused_before_anything_is_trained(place):
    with pytest.raises(HangtagError, match="on the same classes") as caught:
        compare(read([partial(place, "half", ["5-9"]), "tiny.json"]), data="drawn")
    assert caught.value.code == "usage_class"
    assert trained(place) == []


def test_of_a_bundle_that_learnt_from_other_pictures_no_fit_and_no_validation_is_told(place, monkeypatch, garments):
    mine = compare(read(["tiny.json"]), data="drawn").rows[0].first("bundle")
    monkeypatch.setitem(garments, 400, garments[400].take(np.arange(399)))
    row = compare(read([mine]), data="drawn", out=place.path / "grown").rows[0]
    assert row.accuracy > 0
    assert (row.first("val_accuracy"), row.first("train_accuracy"), row.first("fit")) == (None, None, None)
    with pytest.raises(HangtagError, match="other data") as caught:
        compare(read([mine]), data="drawn", split="val", out=place.path / "val")
    assert caught.value.code == "usage_split"
