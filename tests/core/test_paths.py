from pathlib import Path

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.paths import bundle_names, cache_folder, find_bundle, folder_name


@pytest.mark.parametrize(
    ("name", "folder"),
    [("minutes", "minutes"), ("../else where", "_else_where"), ("/etc", "_etc"), ("..", "model"), ("x" * 99, "x" * 60)],
)
def test_any_name_gives_a_folder_in_its_place(name, folder):
    assert folder_name(name) == folder


@pytest.fixture(autouse=True)
def _places(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANGTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HANGTAG_WEIGHTS", str(tmp_path / "mine"))


def put(folder: str) -> Path:
    Path(folder).mkdir(parents=True)
    (Path(folder) / "card.json").write_text("{}")
    return Path(folder)


def test_names_are_looked_up_in_order():
    for place in ("cache/weights", "weights", "mine"):
        put(f"{place}/a")
        assert find_bundle("a").parent == bundle_names()["a"].parent
        assert find_bundle("a").resolve() == Path(place, "a").resolve()


def test_a_folder_or_the_folder_of_a_run_wins_over_a_name():
    put("mine/run")
    put("run/bundle")
    assert find_bundle("run") == Path("run/bundle")
    assert find_bundle(put("b")) == Path("b")


def test_a_folder_that_is_no_bundle_does_not_hide_a_name():
    Path("a").mkdir()
    assert find_bundle(put("mine/a").name).parent.name == "mine"


def test_says_what_is_missing():
    with pytest.raises(HangtagError, match="Did you mean 'shoes'"):
        find_bundle(str(put("mine/shoes").name[:-1]))
    Path("empty").mkdir()
    with pytest.raises(HangtagError, match="holds no card") as caught:
        find_bundle("empty")
    assert caught.value.code == "bundle_not_found"


def test_the_cache_is_where_it_was_put_or_where_the_platform_says(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("HANGTAG_CACHE")
    assert cache_folder().name.lower() in ("hangtag", "cache")


def test_a_member_has_the_name_of_its_folder_alone_or_behind_its_bundles():
    put("mine/both")
    put("mine/both/photos")
    for name in ("photos", "both/photos"):
        assert find_bundle(name).resolve() == Path("mine/both/photos").resolve()
    put("mine/elsewhere/photos2")  # no bundle above it
    assert "photos2" not in bundle_names()


def test_a_bundle_of_that_name_goes_before_a_member_wherever_it_lies():
    put("mine/both")
    put("mine/both/photos")
    put("cache/weights/photos")
    assert find_bundle("photos").resolve() == Path("cache/weights/photos").resolve()
    assert find_bundle("both/photos").resolve() == Path("mine/both/photos").resolve()


@pytest.mark.parametrize("name", ["both/../both/photos", "both/", "both/none", "../mine/x", "both//photos"])
def test_what_is_no_members_name_is_not_found(name):
    put("mine/both")
    put("mine/both/photos")
    with pytest.raises(HangtagError) as caught:
        find_bundle(name)
    assert caught.value.code == "bundle_not_found"
