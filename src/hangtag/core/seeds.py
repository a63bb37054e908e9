"""Randomness as a function of (seed, purpose, step), so that a resumed run draws what the unbroken one drew."""

from __future__ import annotations

import hashlib


def derive(seed: int, purpose: str, step: int = 0) -> int:
    """A 63-bit seed for one purpose at one step; different purposes and steps give unrelated streams."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{step}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
