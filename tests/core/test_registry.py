import sys
import types

import pytest

from hangtag.core.errors import HangtagError
from hangtag.core.registry import Registry, nearest


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A package `zoo` of two animals, one of them mute."""
    package = tmp_path / "zoo"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from hangtag.core.registry import Registry\nregister = Registry('wild animal', 'zoo')\n"
    )
    (package / "lion.py").write_text(
        '"""A lion.\n\nMore of it."""\nfrom zoo import register\n@register("lion", legs=4)\ndef lion(): return "roar"\n'
    )
    (package / "fish.py").write_text('"""A fish."""\n')
    (package / "_bones.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    import zoo

    yield zoo.register
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo"]:
        del sys.modules[name]


def test_names_and_summaries_are_read_without_importing(registry):
    assert registry.names() == ["fish", "lion"]
    assert registry.summary("lion") == "A lion."
    assert "zoo.lion" not in sys.modules


def test_an_entry_is_imported_when_asked_for(registry):
    assert registry.get("lion")() == "roar"
    assert registry.facts("lion") == {"legs": 4}


def test_an_unknown_name_suggests_the_nearest(registry):
    with pytest.raises(HangtagError, match=r"no wild animal is called 'loin'\. Did you mean 'lion'\?") as caught:
        registry.get("loin")
    assert caught.value.code == "usage_unknown_wild_animal"
    with pytest.raises(HangtagError, match=r"Known: fish, lion\."):
        registry.get("xyzzy")


@pytest.mark.parametrize("name", ["_bones", "__init__", "../zoo/lion", "", "lion.py", "os"])
def test_nothing_but_entries_can_be_asked_for(registry, name):
    with pytest.raises(HangtagError):
        registry.get(name)


def test_a_file_that_registers_nothing_is_a_defect_with_a_name(registry):
    with pytest.raises(ValueError, match=r"zoo\.fish registers no wild animal called 'fish'"):
        registry.get("fish")


def test_two_things_may_not_share_a_name(registry):
    registry("owl")(len)
    with pytest.raises(ValueError, match="two wild animals are called 'owl'"):
        registry("owl")(print)


def test_the_name_of_one_of_ours_is_taken_whether_or_not_it_was_imported(registry):
    for name in ("lion", "fish"):
        with pytest.raises(ValueError, match=f"a wild animal of ours is called '{name}'"):
            registry(name)(len)
    assert registry.get("lion")() == "roar"


def test_things_of_two_files_are_two_things(registry):
    one, other = (types.FunctionType((lambda: 0).__code__, {"__name__": name}) for name in ("first", "second"))
    registry("owl")(one)
    with pytest.raises(ValueError, match="two wild animals are called 'owl'"):
        registry("owl")(other)


def test_an_entry_of_ones_own_counts_like_any_other(registry):
    def owl():
        """An owl.

        It sees at night.
        """

    registry("owl", legs=2)(owl)
    registry("owl", legs=2)(owl)  # a notebook's cell run twice
    assert registry.names() == ["fish", "lion", "owl"]
    assert (registry.get("owl"), registry.facts("owl"), registry.summary("owl")) == (owl, {"legs": 2}, "An owl.")


def test_nearest_is_one_name_or_all_or_nothing():
    assert nearest("adm", ["adam", "sgd"]) == " Did you mean 'adam'?"
    assert nearest("zzz", ["adam", "sgd"]) == " Known: adam, sgd."
    assert nearest("zzz", []) == ""


def test_a_registry_is_a_folder():
    from hangtag import models

    assert isinstance(models.register, Registry)
    assert {"lenet5", "three_conv"} <= set(models.register.names())
