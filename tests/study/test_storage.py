import pytest

from hangtag.core.errors import HangtagError
from hangtag.study import storage


@pytest.mark.parametrize(
    ("url", "code", "hint"),
    [
        ("not a url", "usage_storage", "postgresql://user:password@host/database"),
        ("sqlite:////no/such/folder/x.db", "storage_unreachable", "unable to open"),
        ("postgresql://me:s3cret@127.0.0.1:9/x", "storage_unreachable", "me:***@127.0.0.1"),
        ("postgres://me:s3cret@127.0.0.1:9/x", "storage_unreachable", "me:***@127.0.0.1"),
        ("mysql+nothing://me:s3cret@localhost/x", "usage_storage", "mysql+nothing"),
    ],
)
def test_a_storage_that_cannot_be_reached_is_one_line_without_the_password(url, code, hint):
    with pytest.raises(HangtagError) as caught:
        storage.connect(url)
    assert caught.value.code == code
    assert hint in caught.value.message
    assert "s3cret" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_missing_driver_is_named(monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name, *rest):
        if name == "psycopg":
            raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(HangtagError, match=r"pip install 'hangtag\[postgres\]'"):
        storage.connect("postgresql://me@127.0.0.1:9/x")


def test_a_study_whose_maker_was_killed_at_once_is_taken_over(tmp_path, monkeypatch, unsafe):
    import optuna

    monkeypatch.setattr(storage, "_MADE_S", 0.0)
    connection = storage.connect(f"sqlite:///{tmp_path / 'x.db'}")
    optuna.create_study(storage=connection, study_name="x")
    study = storage.join(connection, "x", {"a": 1}, timed=False)
    assert study.user_attrs == {"hangtag": {"a": 1}}


def test_somebody_elses_study_is_refused(tmp_path, monkeypatch, unsafe):
    import optuna

    monkeypatch.setattr(storage, "_MADE_S", 0.0)
    connection = storage.connect(f"sqlite:///{tmp_path / 'x.db'}")
    optuna.create_study(storage=connection, study_name="x").add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(HangtagError, match="made by something else"):
        storage.join(connection, "x", {"a": 1}, timed=False)


@pytest.mark.parametrize(("url", "shown"), [("postgresql://a:b@c/d", "postgresql://a:***@c/d"), ("%%", "the storage")])
def test_passwords_are_not_shown(url, shown):
    assert storage.hidden(url) == shown
