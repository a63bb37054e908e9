"""Whose file is this? MNIST's cousins all use the same four file names; their MD5s, as published, tell them apart."""

from __future__ import annotations

import hashlib

OWNER_OF_MD5 = {
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d": "fashion-mnist",  # train-images-idx3-ubyte.gz
    "25c81989df183df01b3e8a0aad5dffbe": "fashion-mnist",  # train-labels-idx1-ubyte.gz
    "bef4ecab320f06d8554ea6380940ec79": "fashion-mnist",  # t10k-images-idx3-ubyte.gz
    "bb300cfdad3c16e7a12a480ee83cd310": "fashion-mnist",  # t10k-labels-idx1-ubyte.gz
    "f68b3c2dcbeaaa9fbdd348bbdeb94873": "mnist",
    "d53e105ee54ea40749a09fcbcd1e9432": "mnist",
    "9fb629c4189551a2d022fa330f9573f3": "mnist",
    "ec29112dd5afa0611ce80d1b7f02629c": "mnist",
    "bdb82020997e1d708af4cf47b453dcf7": "kmnist",
    "e144d726b3acfaa3e44228e80efcd344": "kmnist",
    "5c965bf0a639b31b8f53240b1b52f4d7": "kmnist",
    "7320c461ea6c1c855c0b718fb2a4b134": "kmnist",
    # Unpacked:
    "f4a8712d7a061bf5bd6d2ca38dc4d50a": "fashion-mnist",  # train-images-idx3-ubyte
    "9018921c3c673c538a1fc5bad174d6f9": "fashion-mnist",  # train-labels-idx1-ubyte
    "8181f5470baa50b63fa0f6fddb340f0a": "fashion-mnist",  # t10k-images-idx3-ubyte
    "15d484375f8d13e6eb1aabb0c3f46965": "fashion-mnist",  # t10k-labels-idx1-ubyte
    "6bbc9ace898e44ae57da46a324031adb": "mnist",
    "a25bea736e30d166cdddb491f175f624": "mnist",
    "2646ac647ad5339dbf082846283269ea": "mnist",
    "27ae3e4e09519cfbb04c329615203637": "mnist",
}


def md5_of(content: bytes) -> str:
    """Hex MD5: good enough to recognise a file nobody forged, and what these sets were published with."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
