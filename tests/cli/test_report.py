import json
import subprocess
import sys

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

    made = Report("<!doctype html>", {"findings": [], "verdict": {}}, ("One.", "Two.", "Three."), "Good")

    def on_one(name, data, progress, unlearnt):
        asked.append((name, data, unlearnt is not None))
        return made

    def on_two(first, second, data, progress):
        asked.append((first, second, data))
        return made

    monkeypatch.setattr(hangtag.report, "report_on", on_one)
    monkeypatch.setattr(hangtag.report, "report_on_two", on_two)
    return asked


def test_where_nobody_names_a_file_another_ones_is_left_alone(run, reported, tmp_path):
    (tmp_path / "report.html").write_text("<!doctype html><title>My annual report</title>")
    status, _, err = run("some")
    assert (status, reported) == (2, [])
    assert "report.html is there and was not made by Hangtag: name another file with --out" in err
    assert "annual" in (tmp_path / "report.html").read_text()
    assert run("some", "--out", "other.html")[0] == 0
    (tmp_path / "report.html").write_text('<!doctype html><meta name="generator" content="hangtag 0.1.0">')
    assert run("some")[0] == 0


def test_writes_the_file_and_prints_the_verdict(run, reported, tmp_path):
    status, out, err = run("some", "--data", "there")
    assert (status, err) == (0, "")
    assert out.splitlines()[:4] == ["Good", "  One.", "  Two.", "  Three."]
    assert (tmp_path / "report.html").read_text() == "<!doctype html>"
    assert reported == [("some", "there", False)]


def test_labels_of_training_pictures_are_judged_where_asked(run, reported):
    assert run("some", "--labels", "out-of-fold")[0] == 0
    assert reported == [("some", None, True)]


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
        (("default", "other", "--labels", "out-of-fold"), 2, "usage_value", "--labels"),
        (("default", "--labels", "guess"), 2, "usage", "out-of-fold"),
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


@pytest.mark.parametrize("words", [["report", "default"], ["compare", "lenet5"], ["transfer"]])
def test_a_bare_installation_is_told_what_to_add(words):
    nothing = "import sys; sys.modules.update(jinja2=None, markupsafe=None)"
    program = f"{nothing}; from hangtag import cli; sys.exit(cli._run({words}))"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, encoding="utf-8")
    assert done.returncode == 9
    assert "hangtag[report]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_too_long_for_a_file_is_no_defect_of_ours(run, reported):
    status, _, err = run("some", "--out", "x" * 300 + ".html")
    assert status == 7
    assert err.count("\n") == 1


def test_a_file_that_nobody_named_is_replaced_only_if_it_is_a_report(run, reported, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("my own page")
    status, out, err = run("some")
    assert (status, reported) == (2, [])  # before an hour of judging
    assert "was not made by Hangtag: name another file with --out" in out + err
    assert page.read_text() == "my own page"
    assert run("some", "--out", "report.html")[0] == 0  # named: as asked
    page.write_text('<head><meta name="generator" content="hangtag 0.1.0">')
    assert run("some")[0] == 0
