"""Writes the result tables of README.md from `results/` and the cards of shipped bundles: no figure is typed by hand.

Run: python benchmarks/tables.py (or with --check: change nothing, exit 1 if README.md is not current)
A table stands between `<!-- results:NAME -->` and `<!-- /results -->`; the newest result of benchmark NAME counts, of
processors with AMX; `results:NAME-without-amx` is of others.
Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
README = ROOT / "README.md"
WEIGHTS = (ROOT / "src" / "hangtag" / "weights", ROOT / "weights")
WITHOUT_AMX = "-without-amx"
QUIET = 0.5  # load average: more is told
BLOCK = re.compile(r"<!-- results:(?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- /results -->", re.DOTALL)

Result = dict[str, Any]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    rule = ["---"] + ["--:"] * (len(heads) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def conditions(result: Result, n: str, *packages: str) -> str:
    """What the figures hold for, in one line."""
    machine, versions = result["machine"], result["versions"]
    amx = " with AMX" if "amx_bf16" in machine["features"] else ""
    cpu = re.sub(r"\((R|TM|r|tm)\)|\bProcessor\b|\bCPU\b", "", machine["cpu"])
    named = ", ".join(f"{package} {versions[package].partition('+')[0]}" for package in packages if package in versions)
    commits = list(dict.fromkeys(run["commit"][:8] for run in result["measurements"] if run.get("commit")))
    commits = commits or [result["commit"][:8]]  # else of each run: one that was there is not run again
    load = result["quiet"]["load_before"][0]
    return (
        f"{n}; {machine['cores']} cores of {' '.join(cpu.split())}{amx}"
        f"{f', load {load:.1f} before' if load > QUIET else ''}; {named}; {result['date'][:10]},"
        f" commit{'s' if commits[1:] else ''} {', '.join(f'`{commit}`' for commit in commits)}: `{result['command']}`"
    )


def mean(figure: dict[str, Any] | None, digits: int, scale: float = 1.0) -> str:
    if figure is None:
        return "–"
    sd = "" if figure["sd"] is None else f" ± {figure['sd'] * scale:.{digits}f}"
    return f"{figure['mean'] * scale:,.{digits}f}{sd}"


def recipes(result: Result) -> str:
    rows = [
        [
            f"`{name}`",
            mean(row.get("accuracy"), 2, 100),
            mean(row.get("loss"), 3),
            mean(row.get("f1"), 2, 100),
            mean(row["seconds"], 0),
            mean(row["peak_rss_mb"], 0),
            mean(row.get("onnx_mb"), 1),
            "–" if row["params"] is None else f"{row['params']:,}",
            str(row["n"]),
        ]
        for name, row in result["summary"].items()
    ]
    heads = ("recipe", "test accuracy %", "loss", "macro F1 %", "seconds", "peak MB", "ONNX MB", "parameters", "n")
    note = conditions(result, "Mean ± standard deviation over n seeds", "torch", "scikit-learn", "onnxruntime")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def three_conv_vs_keras(result: Result) -> str:
    summary = result["summary"]
    named = {"hangtag": "**hangtag**", "keras_fp32": "Keras, fp32", "keras_bf16": "Keras, bf16"}
    rows = [
        [
            name,
            f"{row['total_seconds']:.0f}",
            f"{row['peak_rss_mb']:,.0f}",
            f"{100 * row['test_accuracy']:.2f}",
            f"{row['test_loss']:.3f}",
        ]
        for name, row in ((named[key], summary[key]) for key in named if "total_seconds" in summary[key])
    ]
    for key in named:
        if "expected_seconds" in summary[key]:
            tries = [run for run in result["measurements"] if key == f"{run['side']}_{run.get('precision')}"]
            peak = min(run["peak_rss_mb"] for run in tries)
            rows.append(
                [named[key], f"about {summary[key]['expected_seconds']:.0f}, by two epochs", f"{peak:,.0f}", "–", "–"]
            )
    rows.append(
        ["*ours / the better peer*", f"*{summary['time_ratio']:.2f}*", f"*{summary['memory_ratio']:.2f}*", "", ""]
    )
    heads = (
        "the same network, ten epochs, batch 64",
        "seconds, export included",
        "peak MB",
        "test accuracy %",
        "test loss",
    )
    note = conditions(result, f"Medians of {rounds(result)}", "torch", "tensorflow", "keras")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def time_to_accuracy(result: Result) -> str:
    summary = result["summary"]
    peer = summary["peer"]
    rows = []
    for name in ("seconds", "minutes", "quarter_hour"):
        if name in summary:
            row = summary[name]
            rows.append(
                [
                    f"**hangtag `{name}`**",
                    mean(row["test_accuracy"], 2, 100),
                    f"{row['seconds']['median']:.0f}",
                    f"{row['limit']}: {row['limit_s']:.0f}",
                    str(row["n"]),
                ]
            )
    end = f"{peer['end_s']['median']:.0f}"
    rows.append(["Keras, three-conv network, ten epochs", mean(peer["end_accuracy"], 2, 100), end, "", str(peer["n"])])
    note = conditions(
        result, "Mean ± standard deviation over n seeds, median seconds in one run", "torch", "tensorflow", "keras"
    )
    heads = ("", "test accuracy %", "seconds from the start", "to be done within, seconds", "n")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def inference(result: Result) -> str:
    rows = [
        [
            f"`{row['network']}`, {row['side'].replace('fp32', 'ONNX').replace('int8', 'ONNX in int8')}",
            f"{row['p50_ms']['median']:.2f}",
            f"{row['p99_ms']['median']:.2f}",
            f"{row['pictures_per_s']['median']:,.0f}",
            f"{row['peak_rss_mb']['median']:.0f}",
            f"{row['size_mb']['median']:.1f}" if "size_mb" in row else "–",
        ]
        for row in result["summary"]["sides"].values()
    ]
    heads = ("", "one picture, ms", "99th percentile", "pictures a second", "peak MB", "file MB")
    note = conditions(result, f"Medians of {rounds(result)}", "onnxruntime", "torch", "tensorflow", "keras")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def rounds(result: Result) -> str:
    return "one round" if result["n"] == 1 else f"{result['n']} rounds in turn"


def light(result: Result) -> str:
    summary = result["summary"]
    torch = "with torch" if summary["torch"] else "no torch"
    rows = [
        [f"`pip install .`, {torch}", f"{summary['installed_mb']:.0f} MB", ""],
        ["`hangtag --help`", f"{summary['hangtag --help']['median']:.2f} s", ""],
        [
            "`hangtag recognise one.png`",
            f"{summary['hangtag recognise one.png']['median']:.2f} s",
            f"{summary['recognise_all_processes_mb']:.0f} MB",
        ],
    ]
    note = conditions(result, f"Medians of {result['n']} starts", "onnxruntime", "numpy")
    return f"{markdown(('a bare installation', 'takes', 'memory'), rows)}\n\n<sub>{note}</sub>"


def demo(result: Result) -> str:
    summary = result["summary"]
    rows = [
        [
            "`hangtag demo`",
            f"{summary['wall_s']['median']:.0f}",
            f"{100 * summary['accuracy']['median']:.2f}",
            f"{summary['peak_rss_mb']['median']:,.0f}",
        ]
    ]
    note = conditions(result, "One run" if result["n"] == 1 else f"Medians of {result['n']} runs", "torch")
    return f"{markdown(('', 'seconds in all', 'test accuracy %', 'peak MB'), rows)}\n\n<sub>{note}</sub>"


def drawn(result: Result) -> str:
    summary = result["summary"]
    rows = [[f"`{summary['recipe']}` on drawn garments", mean(summary["accuracy"], 1, 100)]]
    note = conditions(result, f"{result['n']} seeds", "torch", "onnxruntime")
    heads = ("trained without a single photo", "accuracy % on the real test pictures")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def photos(result: Result) -> str:
    ways = result["summary"]["ways"]
    rows = [
        [
            f"`{name.partition(', ')[0]}`{name[len(name.partition(', ')[0]) :]}",
            mean(way["accuracy"], 1, 100),
            mean(way["f1"], 3),
            f"{way['seconds'] / 60:.1f}",
            f"{way['file_mb']:.1f}",
            str(way["n"]),
        ]
        for name, way in ways.items()
    ]
    note = conditions(result, f"{result['summary']['pictures']} test photos", "torch", "onnxruntime")
    heads = ("", "test accuracy %", "F1", "minutes of training", "MB", "n")
    return f"{markdown(heads, rows)}\n\n<sub>{note}</sub>"


def shipped() -> str:
    """From the cards of the bundles that come with Hangtag: in the package, and beside it."""
    rows = []
    for weights in WEIGHTS:
        for path in sorted(weights.glob("*/card.json")):
            card = json.loads(path.read_text(encoding="utf-8"))
            test, training = card["metrics"]["test"], card["training"]
            low, high = (100 * end for end in test["accuracy_interval"])
            device, _, threads = training["device"].partition(", ")
            if threads:  # of a CPU
                device = "one core" if threads.startswith("1 ") else f"{threads.partition(' ')[0]} cores"
            teachers = training.get("teachers", [])
            taught = f", taught by {len(teachers)} of `{teachers[0]['name']}`" if teachers else ""
            name = path.parent.name if weights == WEIGHTS[0] else path.parent.relative_to(ROOT).as_posix()
            rows.append(
                [
                    f"`{name}`",
                    f"{100 * test['accuracy']:.2f} ({low:.2f} to {high:.2f})",
                    f"{test['loss']:.3f}",
                    f"`{card['name']}`, {training['epochs']} epochs{taught}",
                    f"{card['data']['training']:,}",
                    f"{training['seconds'] / 60:.0f} min on {device}",
                    f"{card['files']['model.onnx']['bytes'] / 1e6:.1f}",
                    f"{card['params']:,}",
                ]
            )
    heads = ("bundle", "test accuracy % (95% interval)", "loss", "recipe", "pictures", "trained in", "MB", "parameters")
    return markdown(heads, rows)


TABLES: dict[str, Callable[[Result], str]] = {
    table.__name__: table
    for table in (recipes, three_conv_vs_keras, time_to_accuracy, inference, light, demo, drawn, photos)
}


def newest(name: str, kind: str) -> Result | None:
    """The last result by its file's date, of processors of that kind: "" for those with AMX."""
    found = sorted(RESULTS.glob(f"[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-{name}-*-cores{kind}.json"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None


def fill(text: str) -> str:
    """`text` with every table written anew.

    Raises:
        ValueError: if a marker names no benchmark, or is left open.
    """

    def table(block: re.Match[str]) -> str:
        name = block["name"]
        if name == shipped.__name__:
            return f"<!-- results:{name} -->\n{shipped()}\n<!-- /results -->"
        benchmark = name.removesuffix(WITHOUT_AMX)
        if benchmark not in TABLES:
            raise ValueError(f"results:{name} is no benchmark with a table; there are {', '.join(TABLES)}")
        result = newest(benchmark, name.removeprefix(benchmark))
        shown = TABLES[benchmark](result) if result else "*Not measured yet.*"
        return f"<!-- results:{name} -->\n{shown}\n<!-- /results -->"

    if any("<!-- results:" in block["text"] for block in BLOCK.finditer(text)) or len(
        BLOCK.findall(text)
    ) != text.count("<!-- results:"):
        raise ValueError("a results marker is not closed with <!-- /results -->")
    return BLOCK.sub(table, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if README.md is not current")
    check = parser.parse_args().check
    text = README.read_text(encoding="utf-8")
    try:
        wanted = fill(text)
    except ValueError as error:
        print(f"README.md: {error}", file=sys.stderr)
        return 1
    if wanted == text:
        return 0
    if check:
        print(
            "README.md: its tables are not those of benchmarks/results; run: python benchmarks/tables.py",
            file=sys.stderr,
        )
        return 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
