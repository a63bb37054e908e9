"""What a file is, by its first bytes: an image that is read, or the true name of something else and what to do then.

Source: the formats' own specifications; ISO/IEC 23008-12 and the AVIF specification for the brands of `ftyp`.
"""

from __future__ import annotations

from hangtag.core.errors import HangtagError

READ = "JPEG, PNG, WebP or AVIF"
EXTENSIONS = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".hif"})

_SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF = {b"mif1", b"mif2", b"msf1", b"miaf", b"1pic", b"MiHB", b"MiHA", b"MiHE"}  # say nothing of the compression
_SAVE = "save it as one of these"
_AGAIN = "download it again, as the image itself"
# What people try besides, by first bytes, the more special first: the message names it and what to do.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\x0a", "a JPEG XL image", _SAVE),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", _SAVE),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", _SAVE),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", _SAVE),
    (b"\xff\xd8", "a damaged JPEG", "copy or download it again"),
    (b"\xff\xf7", "a JPEG-LS image", _SAVE),
    (b"GIF8", "a GIF", _SAVE),
    (b"II*\0\x10\0\0\0CR", "a camera's RAW file (CR2)", _SAVE),
    (b"II\x1a\0\0\0HEAPCCDR", "a camera's RAW file (CRW)", _SAVE),
    (b"FUJIFILMCCD-RAW", "a camera's RAW file (RAF)", _SAVE),
    (b"IIU\0", "a camera's RAW file (RW2)", _SAVE),
    (b"IIRO", "a camera's RAW file (ORF)", _SAVE),
    (b"IIRS", "a camera's RAW file (ORF)", _SAVE),
    (b"MMOR", "a camera's RAW file (ORF)", _SAVE),
    (b"\0MRM", "a camera's RAW file (MRW)", _SAVE),
    (b"FOVb", "a camera's RAW file (X3F)", _SAVE),
    (b"II\xbc", "a JPEG XR image", _SAVE),
    (b"II*\0", "a TIFF, or a camera's RAW file", _SAVE),
    (b"MM\0*", "a TIFF, or a camera's RAW file", _SAVE),
    (b"II+\0", "a BigTIFF", _SAVE),
    (b"MM\0+", "a BigTIFF", _SAVE),
    (b"BM", "a BMP", _SAVE),
    (b"8BPS", "a Photoshop file", _SAVE),
    (b"8BPB", "a Photoshop file", _SAVE),
    (b"gimp xcf", "a GIMP file", _SAVE),
    (b"qoif", "a QOI image", _SAVE),
    (b"DDS ", "a DDS texture", _SAVE),
    (b"v/1\x01", "an OpenEXR image", _SAVE),
    (b"#?RADIANCE", "a Radiance HDR image", _SAVE),
    (b"\0\0\x01\0", "an icon", _SAVE),
    (b"\0\0\x02\0", "a cursor", _SAVE),
    (b"icns", "an icon", _SAVE),
    (b"SIMPLE", "a FITS file", _SAVE),
    (b"\xd7\xcd\xc6\x9a", "a WMF drawing", _SAVE),
    (b"\x93NUMPY", "a NumPy array", "give the array: recognise(np.load(PATH))"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "give its images as arrays"),
    (b"SQLite format 3\0", "a database", _SAVE),
    (b"%PDF", "a PDF", _SAVE),
    (b"%!PS", "PostScript", _SAVE),
    (b"\xc5\xd0\xd3\xc6", "PostScript", _SAVE),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"PK\x05\x06", "a zip archive", "unpack it first"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it first"),
    (b"(\xb5/\xfd", "a zstd archive", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"\x1aE\xdf\xa3", "a video", _SAVE),
    (b"FLV\x01", "a video", _SAVE),
    (b"\0\0\x01\xba", "a video", _SAVE),
    (b"OggS", "sound or a video", _SAVE),
    (b"ID3", "sound", _SAVE),
    (b"fLaC", "sound", _SAVE),
    (b"\x7fELF", "a program", _SAVE),
    (b"MZ", "a program", _SAVE),
    (b"\xca\xfe\xba\xbe", "a program", _SAVE),
    (b"\xcf\xfa\xed\xfe", "a program", _SAVE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an old Office or a FlashPix image", _SAVE),
)
# The same for text, after blanks and steps out of folders, in small letters.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("version https://git-lfs.github.com/spec/", "a Git LFS pointer", "run `git lfs pull`"),
    ("version https://hawser.github.com/spec/", "a Git LFS pointer", "run `git lfs pull`"),
    ("/annex/objects/", "a git-annex pointer", "run `git annex get`"),
    (".git/annex/objects/", "a git-annex pointer", "run `git annex get`"),
    ("<svg", "an SVG drawing", _SAVE),
    ("<!doctype html", "a web page", _AGAIN),
    ("<html", "a web page", _AGAIN),
    ("<?xml", "XML", _SAVE),
    ("<", "a web page or XML", _AGAIN),
    ("data:", "a data: address, as text", "decode its base64 and give the bytes"),
    ("/9j/", "a JPEG in base64", "decode it and give the bytes"),
    ("ivborw0kggo", "a PNG in base64", "decode it and give the bytes"),
    ("uklgr", "a WebP in base64", "decode it and give the bytes"),
    ("{", "JSON", "give the image itself"),
    ("[", "JSON", "give the image itself"),
    ("http://", "an address, as text", "download the image and give that"),
    ("https://", "an address, as text", "download the image and give that"),
)
_RIFF = {b"AVI ": "a video", b"WAVE": "sound", b"ACON": "a cursor"}
_BRANDS = {
    b"crx ": "a camera's RAW file (CR3)",
    b"M4A ": "sound",
    b"jpx ": "a JPEG 2000 image",
    b"jp2 ": "a JPEG 2000 image",
}


def sniff(content: bytes) -> str:
    """`JPEG`, `PNG`, `WEBP`, `AVIF` or `HEIC`, by the first bytes alone.

    Raises:
        HangtagError: `image_empty`, `image_truncated` (too short to tell) or `image_unsupported`.
    """
    if not content:
        raise HangtagError("image_empty", "the file is empty")
    for kind, signature in _SIGNATURES.items():
        if content.startswith(signature) and (kind != "WEBP" or content[8:12] == b"WEBP"):
            return kind
        if signature.startswith(content) or (kind == "WEBP" and content[:4] == b"RIFF" and len(content) < 12):
            raise _cut(len(content))
    if boxed := _boxed(content):
        return boxed
    what, cure = _other(content)
    raise HangtagError("image_unsupported", f"not a {READ} but {what}: {cure}")


def _boxed(content: bytes) -> str | None:
    """`AVIF` or `HEIC`, which is any HEIF that is no AVIF; None for what is neither."""
    if content[4:8] != b"ftyp":
        if len(content) < 12 and b"\0\0\0".startswith(content[:3]) and b"ftyp".startswith(content[4:8]):
            raise _cut(len(content))
        return None
    if len(content) < 12:
        raise _cut(len(content))
    brands = brands_of(content)
    if brands[0] in _BRANDS or not (_AVIF | _HEIC | _HEIF).intersection(brands):
        return None
    if brands[0] in _HEIC or not _AVIF.intersection(brands):
        return "HEIC"
    return "AVIF"


def brands_of(content: bytes) -> list[bytes]:
    """The major brand of an ISO media file, then those it is compatible with."""
    end = min(int.from_bytes(content[:4], "big"), len(content), 1024)
    return [content[8:12], *(content[start : start + 4] for start in range(16, end - 3, 4))]


def _other(content: bytes) -> tuple[str, str]:
    """What it is, and what to do about it."""
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "a video"), _SAVE
    if content[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "a video", _SAVE
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], "something else"), _SAVE
    for start, what, cure in _OTHERS:
        if content.startswith(start):
            return what, cure
    if not content.strip(b"\0"):
        return "nothing but zeros", "copy or download it again"
    head = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(tuple(_SIGNATURES.values())):
        return "an image behind blanks or line breaks", "send or save its bytes alone"
    return _text(content, head)


def _text(content: bytes, head: bytes) -> tuple[str, str]:
    if head[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7") and head[2:3].isspace():
        return "a Netpbm image", _SAVE
    words = head.decode("latin-1").lower()
    while words.startswith("../"):  # a link of git-annex, checked out as a text
        words = words[3:]
    for start, what, cure in _TEXTS:
        if words.startswith(start):
            return what, cure
    if b"Content-Disposition: form-data" in content[:512]:
        return "a form", "send the image's bytes alone"
    try:
        text = content[:4096].decode("utf-8-sig", "ignore" if len(content) > 4096 else "strict")
    except UnicodeDecodeError:
        return "something else", _SAVE
    if all(letter.isprintable() or letter.isspace() for letter in text):
        return "text", "give the image itself"
    return "something else", _SAVE


def _cut(length: int) -> HangtagError:
    return HangtagError("image_truncated", f"the file ends after {length} bytes: copy or download it again")
