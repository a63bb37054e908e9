"""Where one request ends and the next begins, read strictly, before any HTTP library sees a byte.

Who is in doubt about that can be made to answer a request that a proxy in front never saw (request smuggling), so
whatever could be read in two ways is refused: RFC 9112 (sections 2.2, 3, 5, 6 and 7.1) with its permissions to be
lenient left out. What is handed on is plain: the head as it came, and the body in parts of `PART` bytes or more, so
that a body of a million segments of one byte costs the library no more than any other; one of a million chunks is
refused.
"""

from __future__ import annotations

import re

HEAD_BYTES = 16_384  # of the request line and all header fields
LINE_BYTES = 8_000  # of the request line: RFC 9112, section 3
FIELDS = 100  # header fields
PART = 4_096  # bytes of a body that are worth handing on
CHUNK_LINE = 256  # bytes of a chunk's size and its extensions
SMALL_CHUNKS, CHUNK_BYTES = 4_096, 256  # so many chunks are free; beyond, each brings so many bytes on average

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(%b) ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])" % _TOKEN)
_FIELD = re.compile(rb"(%b):[ \t]*(.*?)[ \t]*" % _TOKEN, re.DOTALL)
_LENGTH = re.compile(rb"[0-9]{1,20}")
_BAD_BYTE = re.compile(rb"\0|(?<!\r)\n|\r[^\n]")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\r\n\0]*)?\r\n")
_CHUNK_BEGUN = re.compile(rb"(?:[0-9A-Fa-f]{1,16}(?:[ \t]*;[^\r\n\0]*|[ \t]*)\r?)?")


class MalformedError(Exception):
    """What came is no request of ours; nothing behind it is to be read.

    Args:
        message: one line for people.
        status: 400, 414, 431 or 505.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = "request_headers_too_large" if status in (414, 431) else "request_malformed"


class Framing:
    """The bytes of one connection as plain requests, one at a time: `feed`, and `read` until it gives nothing.

    `ended` says that the current request has been handed on; `begin_next` goes on to the one behind it.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.begin_next()

    def begin_next(self) -> None:
        """Read the next request."""
        self.ended = False
        self._step = self._head
        self._looked_at = 0  # bytes of the head without a fault
        self._blank_line = False  # one may come before a request
        self._remaining = 0  # bytes of the body, or of the chunk
        self._part = bytearray()  # of a chunked body, not yet handed on
        self._chunks = self._received = 0
        self._footer = False  # a chunk's line end is due

    @property
    def waiting(self) -> bool:
        """Whether bytes have come that were not handed on."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._buffer += data

    def read(self) -> bytes:
        """What may be handed on by now; nothing if more is to come first.

        Raises:
            MalformedError: see there.
        """
        return b"" if self.ended else self._step()

    def _head(self) -> bytes:
        if not self._blank_line and self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
            self._blank_line = True
        found = self._buffer.find(b"\r\n\r\n", max(0, self._looked_at - 3))
        end = len(self._buffer) if found < 0 else found + 4
        if _BAD_BYTE.search(self._buffer, max(0, self._looked_at - 1), min(end, HEAD_BYTES)):
            raise MalformedError("lines end with CR LF, and a head holds no other CR or LF and no NUL")
        if self._buffer.find(b"\r\n", 0, LINE_BYTES) < 0 and len(self._buffer) > LINE_BYTES:
            raise MalformedError(f"the request line is longer than {LINE_BYTES:,} bytes", 414)
        if end > HEAD_BYTES:
            raise MalformedError(f"the header fields are longer than {HEAD_BYTES:,} bytes", 431)
        self._looked_at = end
        if found < 0:
            return b""
        head = self._take(end)
        self._plan_body(head)
        return head

    def _plan_body(self, head: bytes) -> None:
        first, *lines = head[:-4].split(b"\r\n")
        request_line = _REQUEST_LINE.fullmatch(first)
        if request_line is None:
            raise MalformedError("the request line is not METHOD TARGET HTTP/1.1")
        if request_line[3] != b"1":
            raise MalformedError("only HTTP/1.1 is spoken here", 505)
        fields = _fields(lines)
        hosts = sum(name == b"host" for name, _ in fields)
        if hosts > 1 or (not hosts and request_line[4] != b"0"):
            raise MalformedError("there is one Host field")
        lengths = [value for name, value in fields if name == b"content-length"]
        codings = [value for name, value in fields if name == b"transfer-encoding"]
        if codings:
            if lengths:
                raise MalformedError("Content-Length and Transfer-Encoding exclude each other")
            if len(codings) > 1 or codings[0].lower() != b"chunked" or request_line[4] == b"0":
                raise MalformedError("the only Transfer-Encoding is chunked, once, in HTTP/1.1")
            self._step = self._chunked
        elif lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise MalformedError("Content-Length is one number")
            self._remaining = int(lengths[0])
            self._step = self._counted
        self.ended = not codings and not self._remaining

    def _counted(self) -> bytes:
        length = min(len(self._buffer), self._remaining)
        if length < min(self._remaining, PART):
            return b""
        self._remaining -= length
        self.ended = not self._remaining
        return self._take(length)

    def _chunked(self) -> bytes:
        self._take(self._unwrap())
        if self._step == self._trailer:
            return self._trailer()
        return self._wrapped() if len(self._part) >= PART else b""

    def _unwrap(self) -> int:
        """Move what chunks hold into `_part`; returns how many bytes of the buffer that took."""
        buffer, position = self._buffer, 0
        while True:
            if self._remaining:
                data = buffer[position : position + self._remaining]
                self._part += data
                self._received += len(data)
                position += len(data)
                self._remaining -= len(data)
                if self._remaining:
                    return position
                self._footer = True
            if self._footer:
                footer = buffer[position : position + 2]
                if not b"\r\n".startswith(footer):
                    raise MalformedError("a chunk is longer than its size")
                if len(footer) < 2:
                    return position
                position += 2
                self._footer = False
            match = _CHUNK.match(buffer, position, position + CHUNK_LINE)
            if match is None:
                if len(buffer) - position >= CHUNK_LINE or not _CHUNK_BEGUN.fullmatch(buffer, position):
                    raise MalformedError("a chunk's size is a hexadecimal number, on a line of its own")
                return position
            position = match.end()
            self._remaining = int(match[1], 16)
            if not self._remaining:
                self._step = self._trailer
                return position
            self._chunks += 1
            if self._chunks > SMALL_CHUNKS + self._received // CHUNK_BYTES:
                raise MalformedError(f"send larger chunks: {CHUNK_BYTES} bytes or more, or all in one")

    def _trailer(self) -> bytes:
        """The fields behind the last chunk, which are read for their end alone."""
        if not self._buffer.startswith(b"\r\n"):
            found = self._buffer.find(b"\r\n\r\n")
            end = len(self._buffer) if found < 0 else found + 4
            if _BAD_BYTE.search(self._buffer, 0, end) or end > PART:
                raise MalformedError("the fields behind the body are damaged, or too long")
            if found < 0:
                return b""
            _fields(self._take(end)[:-4].split(b"\r\n"))
        else:
            self._take(2)
        self.ended = True
        return self._wrapped() + b"0\r\n\r\n"

    def _wrapped(self) -> bytes:
        """`_part` as one chunk."""
        part, self._part = bytes(self._part), bytearray()
        return b"%x\r\n%b\r\n" % (len(part), part) if part else b""

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """(name in small letters, value) of each header field."""
    if len(lines) > FIELDS:
        raise MalformedError(f"there are more than {FIELDS} header fields", 431)
    found = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise MalformedError("a header field is Name: value, on one line")
        found.append((match[1].lower(), match[2]))
    return found
