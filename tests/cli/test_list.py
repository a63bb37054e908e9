import json
import re
from pathlib import Path

import pytest

from hangtag import cli
from hangtag.cli.list import _PLACES

KINDS = (*_PLACES, "weights")


@pytest.fixture
def listed(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HANGTAG_WEIGHTS", str(tmp_path))

    def listed(*words: str) -> str:
        assert cli._run(["list", *words]) == 0
        return capsys.readouterr().out

    return listed


def test_lists_everything_that_has_a_name(listed):
    listing = json.loads(listed("--json"))
    assert tuple(listing) == KINDS
    for kind, some in {"models": "three_conv", "recipes": "fast", "data": "fashion-mnist", "metrics": "ece"}.items():
        assert some in [entry["name"] for entry in listing[kind]]


def test_every_registry_is_listed():
    home = Path(cli.__file__).parents[1]
    registries = {
        ".".join(path.parent.relative_to(home).parts)
        for path in home.rglob("__init__.py")
        if re.search(r"^register(: [^=]+)? = Registry", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(registries) > 8
    assert registries - {"report.saliency"} == set(_PLACES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_entry_says_what_it_is(listed, kind):
    for entry in json.loads(listed(kind, "--json"))[kind]:
        assert entry["about"].strip(), entry


def test_a_table_of_one_kind_names_that_kind_only(listed):
    text = listed("recipes")
    assert "lenet5" in text
    assert "augmentations" not in text


def test_a_bundle_that_is_damaged_is_listed_as_such(listed, tmp_path):
    folder = tmp_path / "sho\x1bes"
    folder.mkdir()
    Path(folder, "card.json").write_text("{")
    assert "unusable" in listed("weights", "--json")
    assert "\x1b" not in listed("weights")
