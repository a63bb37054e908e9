"""From a file's bytes to pixels a model takes: decode (any picture -> plain pixels), photo (pixels -> model's size)."""
