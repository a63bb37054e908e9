"""How long does a report on 10,000 test pictures take, and how large is it?

Run: python benchmarks/report.py (two minutes)
The shipped model on Fashion-MNIST, data quality of all 70,000 pictures included; then once with the labels of the
training pictures judged out of fold, which the command announces.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import _record

MOST_SECONDS, MOST_MB = 60, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="without the out-of-fold run; writes to runs/")
    quick = parser.parse_args().quick
    record = _record.Record("report", (__doc__ or "").partition("\n")[0], quick=quick)
    measurements = []
    for labels in (None,) if quick else (None, "out-of-fold"):
        with tempfile.TemporaryDirectory() as folder:
            command = [_record.HANGTAG, "report", "default", "--json", "--out", Path(folder) / "report.html"]
            child = _record.run(command + (["--labels", labels] if labels else []), cwd=Path(folder))
            said = json.loads(child.stdout)
            measurements.append(
                {
                    "labels": labels,
                    "wall_s": child.wall_s,
                    "cpu_s": child.cpu_s,
                    "peak_rss_mb": child.peak_rss_mb,
                    "file_mb": (Path(folder) / "report.html").stat().st_size / 1e6,
                    "verdict": said["verdict"],
                }
            )
            _record.console.print({key: value for key, value in measurements[-1].items() if key != "verdict"})
    plain = measurements[0]
    record.write(
        seeds=[0],
        n=1,
        measurements=measurements,
        summary={key: plain[key] for key in ("wall_s", "cpu_s", "peak_rss_mb", "file_mb")},
        targets=[
            _record.at_most("a report on 10,000 pictures", plain["wall_s"], MOST_SECONDS, " s"),
            _record.at_most("its size", max(row["file_mb"] for row in measurements), MOST_MB, " MB"),
        ],
    )


if __name__ == "__main__":
    main()
