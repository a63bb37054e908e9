"""`hangtag data audit`: labels that are likely wrong, pictures that are there twice, pictures that are odd."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hangtag.cli._data import DATA, data_option
from hangtag.cli._progress import bars
from hangtag.core.errors import HangtagError
from hangtag.core.printable import as_text, printable

if TYPE_CHECKING:
    from hangtag.audit import Audit
    from hangtag.core.types import Dataset, Probabilities, Split
    from hangtag.predict.recogniser import Recogniser

OUT_OF_FOLD = "out-of-fold"
_SHOWN_SKIPPED = 3
_STEP = 1024  # pictures between two progress calls


@click.command(epilog="Example: hangtag data audit --labels out-of-fold")
@data_option(f"{DATA} [default: fashion-mnist]")
@click.option(
    "--split",
    type=click.Choice(["both", "training", "test"]),
    default="both",
    show_default=True,
    help="Which half to look at; both: across them too.",
)
@click.option(
    "--labels",
    metavar="HOW",
    help="Judge labels: out-of-fold trains quick networks for it, a model's name or folder uses that model.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the CSV and the galleries. [default: runs/audit/NAME]",
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    help="Pixels a side, for folders of pictures and drawn. [default: the model's, or 28]",
)
@click.option(
    "--colour/--grey",
    default=None,
    help="Of folders of pictures and drawn. [default: as the model takes them, or grey]",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def audit(
    data: str | None,
    split: str,
    labels: str | None,
    out: Path | None,
    size: int | None,
    colour: bool | None,
    as_json: bool,
) -> None:
    """Look for labels that are likely wrong, near-duplicates, and odd pictures.

    Writes audit.csv, a row for each finding, and galleries of the worst. Nothing in the data is changed. A model judges
    only pictures it has not learnt from: the test half, and its validation pictures.
    """
    from hangtag import data as datasets
    from hangtag import predict
    from hangtag.audit import examine
    from hangtag.core.optional import require
    from hangtag.data.split import joined

    if labels:
        require("cleanlab", extra="report")  # told before anything is read or trained
    model = predict.load(labels) if labels and labels != OUT_OF_FOLD else None
    if model is not None:  # it judges pictures as it takes them
        size = model.card.size if size is None else size
        colour = model.card.colour if colour is None else colour
    with bars() as progress:
        dataset = datasets.find(data, size=size or 28, colour=bool(colour), progress=progress)
        halves = {"training": dataset.training, "test": dataset.test}
        splits = {name: opened() for name, opened in halves.items() if split in ("both", name)}
        if dataset.validation is not None and split != "test" and not dataset.test_is_validation:
            splits["validation"] = dataset.validation()
        if dataset.summary is None:
            _warn(splits)
        else:
            _tell(str(dataset.summary()))
        folder = out or Path("runs") / "audit" / dataset.name
        probabilities: dict[str, Probabilities] = {}
        if labels == OUT_OF_FOLD:
            from hangtag.out_of_fold import out_of_fold

            (name, first), *rest = splits.items()
            unseen = functools.reduce(joined, (other for _, other in rest)) if rest else None
            found, others = out_of_fold(first, folder, unseen=unseen, message=_tell, progress=progress)
            probabilities = {name: found}
            for name, other in rest:
                probabilities[name], others = others[: len(other)], others[len(other) :]
        elif model is not None:
            probabilities = _by_model(labels or "", model, dataset, splits, progress)
        result = examine(dataset.name, splits, probabilities, progress)
    files = _write(result, folder)
    if as_json:
        click.echo(json.dumps({**result.to_dict(), "files": [as_text(file) for file in files]}))
    else:
        from rich.console import Console

        Console(highlight=False).print(result)
        if not labels:
            _tell("labels were not judged: say --labels out-of-fold, or --labels MODEL")
    for file in files:
        _tell(f"written: {printable(file)}")


def _by_model(
    name: str, model: Recogniser, dataset: Dataset, splits: dict[str, Split], progress: Callable[[str, int, int], None]
) -> dict[str, Probabilities]:
    """By half, the answers of a model; rows of NaN for the pictures it has learnt from."""
    import numpy as np

    from hangtag.data.split import validation_of

    answers: dict[str, Probabilities] = {}
    for half, pictures in splits.items():
        if model.class_names != pictures.class_names:
            raise HangtagError("bundle_incompatible", f"{name} does not know the classes of this data: train one on it")
        unseen = np.ones(len(pictures), np.bool_)
        if half == "training":
            card = model.card
            if card.full or card.data.get("digest") != pictures.digest():
                continue  # learnt from all of them, or nobody knows from which
            if dataset.validation is not None:
                continue
            unseen = validation_of(pictures)
        elif model.card.full and (half == "validation" or dataset.test_is_validation):
            continue
        found = np.full((len(pictures), len(model.class_names)), np.nan, np.float32)
        rows = np.flatnonzero(unseen)
        for start in range(0, len(rows), _STEP):
            some = rows[start : start + _STEP]
            found[some] = model.predict_proba(pictures.images[some])
            progress(f"judging {half} labels", start + len(some), len(rows))
        answers[half] = found
    if not answers:
        raise HangtagError(
            "usage_split", f"{name} has learnt from the training pictures: say --split test, or --labels {OUT_OF_FOLD}"
        )
    return answers


def _write(result: Audit, folder: Path) -> list[Path]:
    """The CSV and a gallery of each kind of finding; galleries of an earlier audit that have no successor go."""
    from hangtag.audit import gallery
    from hangtag.core.errors import writing_to
    from hangtag.core.files import write_file

    files = [folder / "audit.csv"]
    write_file(files[0], result.to_csv().encode("utf-8", "backslashreplace"))
    sheets = (
        ("label-errors.png", "Labels that are likely wrong", gallery.label_error_cards(result), result.label_errors),
        ("near-duplicates.png", "Near-duplicates", gallery.near_duplicate_cards(result), result.near_duplicates),
        ("odd-pictures.png", "Odd pictures", gallery.odd_picture_cards(result), result.odd_pictures),
    )
    for name, title, cards, found in sheets:
        path = folder / name
        if not cards:
            with writing_to(path):
                path.unlink(missing_ok=True)
            continue
        total = sum(map(len, found.values()))
        facts = f"{total:,} found" + (f", the worst {len(cards)} shown" if total > len(cards) else "")
        file = io.BytesIO()
        gallery.gallery(cards, f"{title}: {result.name}", facts).save(file, "PNG")
        write_file(path, file.getvalue())
        files.append(path)
    return files


def _warn(splits: dict[str, Split]) -> None:
    skipped = sorted({entry for split in splits.values() for entry in split.skipped})
    if skipped:
        _tell(f"{len(skipped):,} {'file' if len(skipped) == 1 else 'files'} left out:", "yellow")
        for entry in skipped[:_SHOWN_SKIPPED]:
            _tell(f"  {printable(entry)}", "yellow")
        if len(skipped) > _SHOWN_SKIPPED:
            _tell(f"  and {len(skipped) - _SHOWN_SKIPPED:,} more", "yellow")


def _tell(text: str, colour: str | None = None) -> None:
    click.secho(text, err=True, fg=colour, dim=colour is None)
