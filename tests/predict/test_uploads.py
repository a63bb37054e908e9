"""Open files and uploads are read once, as bytes, up to a limit."""

import io
import socket
import tempfile
import zipfile

import pytest

from hangtag.core.errors import HangtagError
from hangtag.predict import uploads


class Streamlit(io.BytesIO):
    """What `st.file_uploader` gives."""

    name = "shirt.png"


class Starlette:
    """What Starlette and FastAPI give: its own `read` is to be awaited."""

    def __init__(self, content: bytes) -> None:
        self.file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
        self.file.write(content)
        self.file.seek(0)

    async def read(self, size: int = -1) -> bytes:
        return self.file.read(size)


class Flask:
    """What Flask gives: everything is its stream's."""

    def __init__(self, content: bytes) -> None:
        self.stream = io.BytesIO(content)

    def __getattr__(self, name):
        return getattr(self.stream, name)


class Aiofiles:
    async def read(self, size: int = -1) -> bytes:
        return b""


def opened(content: bytes, tmp_path):
    (tmp_path / "a.png").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", content)
    yield io.BytesIO(content)
    yield io.BufferedReader(io.BytesIO(content))
    yield Streamlit(content)
    yield (starlette := Starlette(content))
    starlette.file.close()
    yield Flask(content)
    with (tmp_path / "a.png").open("rb") as file:
        yield file
    with (tmp_path / "a.png").open("rb", buffering=0) as file:
        yield file
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("a.png") as member:
        yield member


def test_every_kind_of_open_file_gives_its_bytes_once(tmp_path):
    for file in opened(b"content", tmp_path):
        assert uploads.is_open_file(file)
        assert uploads.read(file) == b"content", type(file)
        with pytest.raises(HangtagError, match="empty"):
            uploads.read(file)


def test_is_read_from_where_it_stands_and_left_open():
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    assert uploads.read(file) == b"456789"
    assert not file.closed
    assert file.tell() == 10


def test_one_that_was_read_before_says_how_to_go_back():
    file = io.BytesIO(b"content")
    file.read()
    with pytest.raises(HangtagError, match=r"read before; file\.seek\(0\)") as caught:
        uploads.read(file)
    assert caught.value.code == "image_empty"


def test_no_more_is_read_than_is_accepted(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 10)

    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            assert size == 11
            self.taken += size
            return bytes(size)

    file = Endless()
    with pytest.raises(HangtagError) as caught:
        uploads.read(file)
    assert caught.value.code == "image_too_large"
    assert file.taken == 11


def unreadable(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    closed = io.BytesIO(b"content")
    closed.close()
    yield closed, "closed"
    yield io.StringIO("text"), r"opened as text: open it as bytes, open\(path, 'rb'\)"
    with (tmp_path / "a.png").open() as file:
        yield file, "opened as text"
    with (tmp_path / "b.png").open("wb") as file:
        yield file, "cannot be read"
    yield Aiofiles(), "await file.read()"


def test_one_that_cannot_be_read_has_one_clear_line(tmp_path):
    for file, reason in unreadable(tmp_path):
        with pytest.raises(HangtagError, match=reason) as caught:
            uploads.read(file)
        assert caught.value.code == "image_unreadable"
        assert "\n" not in caught.value.message


def test_a_socket_a_path_and_a_number_are_no_open_files():
    with socket.socket() as connection:
        assert not any(map(uploads.is_open_file, (connection, "a.png", 7, None, io.BytesIO)))
