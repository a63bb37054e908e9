"""What the demo says at its end: commands to type next."""

import io

import pytest
from rich.console import Console

from hangtag.cli import demo


def said(*given, width=80, **options):
    stream = io.StringIO()
    demo._next(Console(file=stream, width=width, highlight=False), *given, **options)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 160])
def test_photos_of_your_own_get_the_recipe_for_photos_first(width):
    lines = said("runs/demo/my shop/bundle", "runs/demo/my shop/bundle", "my shop", is_photos=True, width=width)
    assert lines[0].startswith("hangtag train photos --data 'my shop'")
    assert any(line.startswith("hangtag recognise -m 'runs/demo/my shop/bundle' photo.jpg") for line in lines)
    assert any(line.startswith("hangtag evaluate 'runs/demo/my shop/bundle' --data 'my shop'") for line in lines)


def test_without_photos_the_recipe_for_them_is_named_too():
    lines = said("runs/demo/fashion-mnist/bundle", "default", None, is_photos=False)
    assert any(line.startswith("hangtag train photos --data my_photos/") for line in lines)
    assert not any("--data" in line for line in lines if "photos" not in line)


def test_what_the_recipe_for_photos_still_needs_is_said(monkeypatch):
    import importlib.util

    assert not any("pip install" in line for line in said("b", "b", None, is_photos=False))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert any("first pip install" in line for line in said("b", "b", None, is_photos=False, width=200))


@pytest.mark.parametrize(("name", "own"), [("fashion-mnist", False), ("drawn", False), ("my shop", True)])
def test_a_folder_of_your_own_is_told_from_a_data_set(name, own):
    assert demo._is_folder(name) is own
