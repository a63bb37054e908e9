"""Finds tensors that an ONNX file keeps elsewhere, before ONNX Runtime would go and open whatever path the file names.

The file is protobuf wire format; only the path from the model down to its tensors is followed, so that the onnx
package (36 MB) stays out of the bare install. Fields and numbers: onnx.proto (github.com/onnx/onnx), wire format:
protobuf.dev/programming-guides/encoding. A constant in a node, a subgraph of an If or Loop, a function's body and a
sparse tensor can all point outside: none is skipped.
"""

from __future__ import annotations

import re

from hangtag.core.errors import HangtagError

# message -> {field number: the message it holds}
_INSIDE = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node", 11: "Attribute"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # fields of Tensor
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types; 3 and 4, groups, ONNX never had
# A forest's attributes hold millions of unpacked floats (field 7) and integers (field 8): step over a run of them at
# once.
_RUN = re.compile(rb"(?:\x3d[\s\S]{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f])++")


def refuse_external_data(content: bytes) -> None:
    """Pass if every tensor lies inside the file.

    Raises:
        HangtagError: `bundle_unsafe` if one lies elsewhere, `bundle_damaged` if this is not protobuf.
    """
    todo = [("Model", 0, len(content))]  # a stack of our own: nesting cannot exhaust Python's
    while todo:
        message, position, end = todo.pop()
        inside = _INSIDE[message]
        while position < end:
            if message == "Attribute" and (run := _RUN.match(content, position, end)):
                position = run.end()
                continue
            tag, position = _varint(content, position, end)
            field, wire = tag >> 3, tag & 7
            start, value = position, 0
            if wire == _VARINT:
                value, position = _varint(content, position, end)
            elif wire == _FIXED64:
                position += 8
            elif wire == _FIXED32:
                position += 4
            elif wire == _BYTES:
                length, start = _varint(content, position, end)
                position = start + length
            else:
                raise _damaged()
            if position > end or not 0 < field < 1 << 29:
                raise _damaged()
            if message == "Tensor" and (field == _EXTERNAL_DATA or (field == _DATA_LOCATION and (wire or value))):
                raise HangtagError(
                    "bundle_unsafe",
                    "the ONNX model keeps numbers in another file, so it could read any file: it is not opened",
                )
            if field in inside:
                if wire != _BYTES:
                    raise _damaged()
                todo.append((inside[field], start, position))


def _varint(content: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of 7-bit groups, lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise _damaged()


def _damaged() -> HangtagError:
    return HangtagError("bundle_damaged", "the ONNX model is damaged: it is not valid protobuf")
