"""What runs a model, as an option of the commands that run one."""

from __future__ import annotations

import click

ENGINE = click.option(
    "--engine",
    type=click.Choice(["onnxruntime", "openvino"]),
    default="onnxruntime",
    show_default=True,
    help="What runs the model; openvino is an extra, for many pictures on processors with AMX.",
)
