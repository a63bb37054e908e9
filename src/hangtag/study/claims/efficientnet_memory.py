"""EfficientNet in about 20 MB of memory."""

from __future__ import annotations

from hangtag.study.claims import Claim, Results, Row, register
from hangtag.study.claims._networks import COMPARED, row_of


def _rows(results: Results) -> list[Row]:
    row = row_of(results, "efficientnet")
    return [
        Row(
            figure="EfficientNet-B0: its weights",
            claimed=20.0,
            ours=row["file_mb"],
            unit="megabytes",
            wanted="most",
            n=row["n"],
            command=COMPARED.name,
        )
    ]


register("efficientnet_memory")(
    Claim(
        said="EfficientNet works in about 20 MB of memory.",
        measured_on="not stated.",
        reading=(
            "No process that runs a network takes 20 MB. B0 has 5.3 million weights for 1,000 classes, 21 MB in "
            "float32: that is what was meant, we think. Ours is the file that is served, weights for ten classes."
        ),
        commands=(COMPARED,),
        rows=_rows,
        remarks=lambda results: [
            "Peak memory while training, of the whole process: "
            + ", ".join(
                f"{row['recipe']} {row['peak_rss_mb']['mean']:,.0f} MB"
                for row in results[COMPARED.name]["rows"]
                if row["recipe"] in ("efficientnet", "custom_cnn", "seconds", "minutes") and row["n"]
            )
            + "."
        ],
    )
)
