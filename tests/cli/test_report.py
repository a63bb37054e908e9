import json

import pytest

from hangtag import cli


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = cli._run(["report", *map(str, words)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def reported(monkeypatch):
    """What was asked of the report, which is not made."""
    import hangtag.report
    from hangtag.report import Report

    asked = []

    def answer(*arguments):
        asked.append(arguments[:-1])  # less the progress
        return Report("<!doctype html>", {"findings": [], "verdict": {}}, ("One.", "Two.", "Three."), "Good")

    monkeypatch.setattr(hangtag.report, "report_on", answer)
    monkeypatch.setattr(hangtag.report, "report_on_two", answer)
    return asked


def test_writes_the_file_and_prints_the_verdict(run, reported, tmp_path):
    status, out, err = run("some", "--data", "there")
    assert (status, err) == (0, "")
    assert out.splitlines()[:4] == ["Good", "  One.", "  Two.", "  Three."]
    assert (tmp_path / "report.html").read_text() == "<!doctype html>"
    assert reported == [("some", "there")]


def test_two_bundles_are_compared(run, reported, tmp_path):
    assert run("a", "b", "--out", "deep/below/x.html")[0] == 0
    assert reported == [("a", "b", None)]
    assert (tmp_path / "deep/below/x.html").exists()


def test_json_stands_alone_on_standard_output(run, reported):
    _, out, err = run("some", "--json")
    assert json.loads(out) == {"out": "report.html", "findings": [], "verdict": {}}
    assert err == ""


@pytest.mark.parametrize(
    ("words", "status", "code", "hint"),
    [
        (("no-such-model",), 5, "bundle_not_found", "no-such-model"),
        (("default", "no-such-model"), 5, "bundle_not_found", "no-such-model"),
        (("default", "--data", "nowhere"), 4, "data_not_found", "nowhere"),
        (("default", "--out", "."), 2, "usage_value", "report.html"),
        ((), 2, "usage", "BUNDLE"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(run, tmp_path, words, status, code, hint):
    got, out, err = run(*words, "--json")
    assert got == status
    assert json.loads(out)["error"]["code"] == code
    assert hint in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named(run, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "jinja2", None)
    status, _, err = run("default")
    assert status == 9
    assert "hangtag[report]" in err
