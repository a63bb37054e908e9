"""What decides how long a convolutional network trains: kernels, filters, batch size, precision, epochs."""

from __future__ import annotations

from hangtag.study.spaces import register


@register("speed", recipe="custom_cnn")
def speed() -> tuple[str, ...]:
    """For a network of three stages whose pictures keep their size. A larger batch wants a larger rate."""
    return (
        "model.kernel=3,5",
        "model.filters=8,16,32|16,32,64|16,32,128|32,64,64|32,64,128|32,64,256",
        "batch_size=32,64,128,256,512",
        "precision=fp32,bf16",
        "epochs=2..20:log",
        "optimiser.lr=1e-3..2e-2",
    )
