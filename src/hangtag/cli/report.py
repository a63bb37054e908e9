"""hangtag report: one HTML file on a trained model, or on two side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from hangtag.cli._data import data_option

if TYPE_CHECKING:
    from hangtag.core.types import Probabilities, Split


@click.command(epilog="Example: hangtag report default --out report.html")
@click.argument("bundle")
@click.argument("other", required=False)
@click.option("--out", type=click.Path(path_type=Path), default="report.html", show_default=True, help="File to write.")
@data_option("Where the data lies. [default: the data the model was trained on]", "PATH")
@click.option(
    "--labels",
    type=click.Choice(["out-of-fold"]),
    help="Judge the labels of the training pictures too, by quick networks trained for it; says first how long.",
)
@click.option("--json", "as_json", is_flag=True, help="Findings and numbers as JSON on standard output.")
def command(bundle: str, other: str | None, out: Path, data: str | None, labels: str | None, as_json: bool) -> None:
    """What BUNDLE (a folder or a name) is good for, as one HTML file to open, print or mail.

    A verdict with coded findings, numbers, curves, the confusion matrix with its pictures, calibration, every mistake,
    data quality and a model card. With OTHER, a second bundle: both side by side, and where they differ.
    """
    from hangtag.cli._progress import bars
    from hangtag.core.errors import HangtagError
    from hangtag.core.files import check_ours, check_output
    from hangtag.core.optional import require
    from hangtag.core.printable import printable
    from hangtag.predict.folder import is_folder
    from hangtag.report import report_on, report_on_two

    if is_folder(out):
        raise HangtagError("usage_value", f"--out should be a file, and {out} is a folder: say {out / 'report.html'}")
    if click.get_current_context().get_parameter_source("out") is ParameterSource.DEFAULT:
        check_ours(out, b'<meta name="generator" content="hangtag', "name another file with --out")
    check_output(out)
    if other and labels:
        raise HangtagError("usage_value", "--labels is for a report on one model: leave it out, or the second model")
    for package in ("torch", "safetensors") if labels else ():  # looked for now, not after a minute of judging
        require(package, extra="train")
    with bars() as progress:

        def unlearnt(training: Split) -> Probabilities:
            from hangtag.out_of_fold import out_of_fold

            def message(text: str) -> None:
                click.secho(text, err=True, dim=True)

            return out_of_fold(training, Path("runs") / "report", message=message, progress=progress)[0]

        if other:
            report = report_on_two(bundle, other, data, progress)
        else:
            report = report_on(bundle, data, progress, unlearnt if labels else None)
    report.write(out)
    if as_json:
        click.echo(json.dumps({"out": str(out), **report.record}, allow_nan=False))
        return
    if report.word:
        click.secho(report.word, bold=True)
    for sentence in report.sentences:
        click.echo(f"  {printable(sentence)}")
    click.echo(f"{printable(out)}, {len(report.html.encode()) / 1e6:.1f} MB: open it in a browser")
