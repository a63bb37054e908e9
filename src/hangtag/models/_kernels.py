"""Loops that PyTorch runs slowly on processors, compiled by the machine's own C compiler at first use.

Max-pooling in PyTorch keeps eight bytes for each winner, fills its gradient with zeros before it writes a quarter of
it, and turns every bfloat16 into a float and back; here it takes a sixth to a tenth of that time, and its numbers are
PyTorch's bit for bit. A convolution of one channel fills a 32nd of a matrix tile: the first layers of the classics,
done in one go, take a third of PyTorch's time (docs/log.md); so do they with batch norm and ReLU, half of it. Those two
differ from PyTorch by the order of sums; ReLU loses the sign of a zero, and nothing else is lost. Convolutions in
float32 and their gradients multiply less (`_winograd`, `_sparse`), and differ by rounding, as those of depthwise ones
do, which are only quicker (`_depthwise`).

They exist where Linux has a C compiler and PyTorch brings libgomp; anywhere else `load` answers None, `why_not` says
why, and PyTorch's own operations are used.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from hangtag.core.errors import HangtagError
from hangtag.core.files import sha256_of, write_file
from hangtag.core.paths import cache_folder

_SOURCES = tuple(Path(__file__).with_name(name) for name in ("_kernels.c", "_winograd.c", "_depthwise.c"))
_INCLUDED = tuple(Path(__file__).with_name(name) for name in ("_lanes.h", "_winograd_tile.h"))
_TYPES = {torch.float32: "float", torch.bfloat16: "bfloat16"}
TILES = (3, 4, 7)  # pixels along a side of those that `winograd` cuts maps into
PARTS = 64  # of what is summed, however many threads sum
SCRATCH = 1_000_000  # floats: what the third cache of most processors holds for each core
_COMPILE_S = 60.0  # it takes a second; a compiler that hangs must not hang us


class Kernels:
    """The compiled loops. Tensors are on the CPU, float32 or bfloat16, and dense."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._functions = {
            (name, kind): library[f"{name}_{written}"]
            for name in (
                *("relu", "relu_gradient", "pool", "pool_gradient", "stem", "stem_gradient"),
                *("norm_moments", "norm_relu", "norm_sums", "norm_gradient"),
            )
            for kind, written in _TYPES.items()
        }
        for name in ("sparse_images", "sparse_weights", "depthwise_images", "depthwise_weights"):
            self._functions[name, torch.float32] = library[f"{name}_float"]
        self._scratch = {}
        for tile in TILES:
            for name in (f"winograd_{tile}", f"winograd_weights_{tile}"):
                self._functions[name, torch.float32] = library[name]
            self._scratch[tile] = library[f"winograd_scratch_{tile}"]
            self._scratch[tile].restype = ctypes.c_int64
            self._scratch[tile].argtypes = (ctypes.c_int64, ctypes.c_int64)
        self.pair = int(library["winograd_pair"]())  # filters that lie together, as `winograd` wants them

    def relu(self, numbers: Tensor) -> None:
        """In place, whatever the shape."""
        self._call("relu", numbers, numbers, numbers.numel())

    def relu_gradient(self, gradient: Tensor, out: Tensor, to: Tensor) -> None:
        """`to` becomes `gradient` where `out` is above 0 (or NaN), else 0: all three of one layout."""
        self._call("relu_gradient", out, gradient, out, to, out.numel())

    def pool(self, maps: Tensor, out: Tensor, winner: Tensor, *, relu: bool) -> None:
        """2 x 2 maxima of `maps` (N, C, H, W) into `out` (N, C, H // 2, W // 2), both channels last.

        Args:
            maps: what is pooled.
            out: is written.
            winner: (N, H // 2, W // 2, C) uint8, is written: which of the four it was, 4 if ReLU left nothing.
            relu: whether the maxima go through ReLU.
        """
        n, channels, height, width = maps.shape
        self._call("pool", maps, maps, out, winner, n, height, width, channels, relu)

    def pool_gradient(self, gradient: Tensor, winner: Tensor, to: Tensor) -> None:
        """All of `to` (N, C, H, W): `gradient` (N, C, H // 2, W // 2) at the winners, else 0."""
        n, channels, height, width = to.shape
        self._call("pool_gradient", to, gradient, winner, to, n, height, width, channels)

    def stem(self, images: Tensor, filters: Tensor, bias: Tensor, out: Tensor, winner: Tensor) -> None:
        """3 x 3 convolution without padding, ReLU and 2 x 2 pooling; sums in float32, rounded to what `out` holds.

        Args:
            images: (N, 1, H, W) float32, contiguous.
            filters: (9, F) float32, contiguous; F is a multiple of 16.
            bias: (F,) float32.
            out: (N, F, (H - 2) // 2, (W - 2) // 2), channels last, is written.
            winner: as for `pool`.
        """
        n, _, height, width = images.shape
        self._call("stem", out, images, filters, bias, out, winner, n, height, width, len(bias))

    def stem_gradient(self, gradient: Tensor, winner: Tensor, images: Tensor, sums: Tensor) -> None:
        """Gradients of the nine weights of each filter and of its bias.

        Args:
            gradient: (N, F, h, w), channels last.
            winner: what `stem` wrote.
            images: (N, 1, H, W) float32, contiguous.
            sums: (P, 10, F) float32, is written: the sums over each of P parts of the pictures.
        """
        n, _, height, width = images.shape
        parts, _, count = sums.shape
        self._call("stem_gradient", gradient, gradient, winner, images, sums, parts, n, height, width, count)

    def sparse_gradients(
        self, gradient: Tensor, winner: Tensor, images: Tensor, weight: Tensor, *, of_images: bool
    ) -> tuple[Tensor | None, Tensor, Tensor]:
        """Gradients of an unpadded 3 x 3 convolution, ReLU and perhaps 2 x 2 pooling, without what they made zero.

        All in float32.

        Args:
            gradient: (N, F, h, w), channels last, of what came through.
            winner: (N, h, w, F) uint8, as for `pool`; without pooling 0, or 4 where nothing came through.
            images: (N, C, H, W), channels last, what was convolved; C is a multiple of 32; h = H - 2, or half of that.
            weight: (F, C, 3, 3).
            of_images: whether the gradient of `images` is wanted.

        Returns:
            Gradients of `images` (or None), of `weight` and of the bias (F,).
        """
        n, channels, height, width = images.shape
        _, rows, columns, count = winner.shape
        parts = torch.get_num_threads()
        lists = images.new_empty(parts, count * columns * max(rows, 4), dtype=torch.int64)  # an entry is 8 bytes
        sizes = (parts, n, height, width, channels, count, 1 if rows == height - 2 else 2)
        to = None
        if of_images:
            filters = weight.permute(2, 0, 3, 1).contiguous()
            to = torch.empty_like(images)
            self._call("sparse_images", images, gradient, winner, filters, to, lists, *sizes)
        sums = images.new_empty(parts, count, 3, 3, channels)
        bias = images.new_empty(parts, count)
        self._call("sparse_weights", images, gradient, winner, images, sums, bias, lists, *sizes)
        return to, sums.sum(0).permute(0, 3, 1, 2), bias.sum(0)

    def depthwise_gradients(
        self, gradient: Tensor, maps: Tensor, weight: Tensor, stride: int, before: int
    ) -> tuple[Tensor, Tensor]:
        """Gradients of a depthwise convolution's maps and weights, in float32.

        Args:
            gradient: (N, C, h, w), channels last, of what came out.
            maps: (N, C, H, W), channels last, what was filtered; C is a multiple of 16.
            weight: (C, 1, k, k), k at most 11.
            stride: in both directions.
            before: rows of zeros above the maps when they were filtered, and columns to their left.
        """
        n, channels, height, width = maps.shape
        side = weight.shape[2]
        sizes = (n, height, width, channels, *gradient.shape[2:], side, stride, before)
        sums, to = maps.new_empty(side * side, channels), torch.empty_like(maps)
        self._call("depthwise_weights", maps, maps, gradient, sums, *sizes)
        filters = weight.reshape(channels, side * side).t().contiguous()
        self._call("depthwise_images", maps, gradient, filters, to, *sizes)
        return to, sums.t().reshape(weight.shape)

    def winograd(self, images: Tensor, filters: Tensor, bias: Tensor, padding: int) -> Tensor:
        """3 x 3 convolution in float32, by tiles of m x m pixels.

        Args:
            images: (N, C, H, W), channels last; C is a multiple of 32.
            filters: ((m + 2)^2, F / pair, C, pair), transformed, contiguous; m is one of `TILES`, F a multiple of 32.
            bias: (F,).
            padding: 0, 1 or 2 pixels of zeros on every side.

        Returns:
            (N, F, H + 2 * padding - 2, W + 2 * padding - 2), channels last.
        """
        n, channels, height, width = images.shape
        count, tile = len(bias), math.isqrt(len(filters)) - 2
        size = (n, count, height + 2 * padding - 2, width + 2 * padding - 2)
        out = torch.empty(size, dtype=images.dtype, device=images.device, memory_format=torch.channels_last)
        threads = torch.get_num_threads()
        scratch = images.new_empty(threads, self._scratch[tile](channels, count))
        sizes = (threads, n, height, width, channels, count, padding)
        self._call(f"winograd_{tile}", images, images, filters, bias, out, scratch, *sizes)
        return out

    def winograd_weights(self, images: Tensor, gradient: Tensor, padding: int, tile: int) -> Tensor:
        """What the gradient of `winograd`'s weights is transformed from.

        Args:
            images: as for `winograd`.
            gradient: of what it returned, channels last.
            padding: as for `winograd`.
            tile: m, one of `TILES`.

        Returns:
            ((m + 2)^2, C / 32, F / 32, 32, 32).
        """
        n, channels, height, width = images.shape
        count, points = gradient.shape[1], (tile + 2) ** 2
        numbers = points * (channels + count) // 32 * (16 * 32 + 16)  # of sixteen tiles, transformed
        sixteens = max(8, min(32, SCRATCH // numbers))
        scratch = images.new_empty(sixteens * numbers + max(channels, count))
        sums = images.new_empty(points, channels // 32, count // 32, 32, 32)
        sizes = (16 * sixteens, n, height, width, channels, count, padding)
        self._call(f"winograd_weights_{tile}", images, images, gradient, sums, scratch, *sizes)
        return sums

    def norm_moments(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance (C,) of each channel of `maps` (N, C, H, W), channels last: over N * H * W, in float32."""
        channels = maps.shape[1]
        mean, variance = maps.new_empty(2, channels, dtype=torch.float32)
        scratch = maps.new_empty(PARTS, 3, channels, dtype=torch.float32)
        self._call("norm_moments", maps, maps, scratch, mean, variance, PARTS, maps.numel() // channels, channels)
        return mean, variance

    def norm_relu(self, maps: Tensor, scale: Tensor, shift: Tensor, out: Tensor) -> None:
        """`out` becomes what is above 0 of `maps` * `scale` + `shift`: maps channels last, the others (C,) float32."""
        self._call("norm_relu", maps, maps, scale, shift, out, maps.numel() // len(scale), len(scale))

    def norm_sums(self, gradient: Tensor, maps: Tensor, scale: Tensor, shift: Tensor, mean: Tensor) -> Tensor:
        """(2, C): sums of the gradient where `norm_relu` let something through, and of that times `maps` - `mean`."""
        channels = len(scale)
        sums = maps.new_empty(PARTS, 2, channels, dtype=torch.float32)
        arguments = (gradient, maps, scale, shift, mean, sums, PARTS, maps.numel() // channels, channels)
        self._call("norm_sums", maps, *arguments)
        return sums.sum(0)

    def norm_gradient(
        self, gradient: Tensor, maps: Tensor, scale: Tensor, shift: Tensor, slope: Tensor, offset: Tensor, to: Tensor
    ) -> None:
        """`to` becomes `gradient` * `scale` where something was let through, plus `maps` * `slope` + `offset`."""
        channels = len(scale)
        arguments = (gradient, maps, scale, shift, slope, offset, to, maps.numel() // channels, channels)
        self._call("norm_gradient", maps, *arguments)

    def _call(self, name: str, of: Tensor, *arguments: Tensor | int) -> None:
        given = [
            ctypes.c_void_p(argument.data_ptr()) if isinstance(argument, Tensor) else ctypes.c_int64(argument)
            for argument in arguments
        ]
        self._functions[name, of.dtype](*given)


def supports(tensor: Tensor) -> bool:
    """Whether the kernels know this kind of number, here."""
    return tensor.device.type == "cpu" and tensor.dtype in _TYPES


def load() -> Kernels | None:
    """The kernels, compiled if they are not in the cache yet; None where that cannot be."""
    return _loaded()[0]


def why_not() -> str | None:
    """Why there are no kernels here, or None if there are."""
    return _loaded()[1]


@functools.cache
def _loaded() -> tuple[Kernels | None, str | None]:
    if sys.platform != "linux":
        return None, f"they are compiled on Linux only, not on {platform.system()}"
    try:
        runtime = openmp_runtime()
        if runtime is None:
            return None, "this PyTorch brings no libgomp"
        return Kernels(ctypes.CDLL(str(_compiled(runtime)))), None
    except (OSError, subprocess.SubprocessError, HangtagError) as error:
        said = getattr(error, "stderr", None) or error
        return None, " ".join(str(said).split())[:300]


def openmp_runtime() -> Path | None:
    """The libgomp of PyTorch, as this process has loaded it, or one that is the only one here.

    Threads of two such libraries would wait for each other's cores, and scikit-learn brings one of its own.
    """
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    loaded = {Path("/" + line.partition("/")[2]) for line in lines if "libgomp" in line.rpartition("/")[2]}
    site = Path(torch.__file__).parents[1]
    of_torch = [path for path in loaded if path.is_relative_to(site / "torch") or path.parent == site / "torch.libs"]
    return next(iter(of_torch or loaded)) if len(of_torch or loaded) == 1 else None


def _compiled(runtime: Path) -> Path:
    """The library for this processor and this OpenMP, from the user's cache or from the compiler.

    Raises:
        OSError, subprocess.SubprocessError, HangtagError: there is no compiler, or it failed, or nowhere to write.
    """
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    processor = next((line for line in lines if line.startswith(("flags", "Features"))), platform.machine())
    parts = [path.read_bytes() for path in (*_INCLUDED, *_SOURCES)]
    parts += [processor.encode(), runtime.name.encode()]  # a home may serve several machines
    folder = cache_folder() / "kernels"
    key = hashlib.sha256(b"|".join(parts)).hexdigest()[:16]
    if folder.exists() and _is_private(folder):
        for library in folder.glob(f"{key}-*.so"):  # a file that is not what its name says would end the process
            if _is_private(library) and library.stem == f"{key}-{sha256_of(library)[:16]}":
                return library
    compiler = next((found for name in ("gcc", "cc") if (found := shutil.which(name))), None)  # libgomp is gcc's
    if compiler is None:
        raise FileNotFoundError("there is no C compiler: apt install gcc")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _is_private(folder):
        raise PermissionError(f"others may write to {folder}, and what lies there would run as code")
    wide = ["-mprefer-vector-width=512"] if platform.machine() == "x86_64" else []
    with tempfile.TemporaryDirectory(prefix="hangtag-") as scratch:
        linked = Path(scratch) / "kernels.so"
        objects = [path.with_suffix(".o").name for path in _SOURCES]
        for words in (
            [compiler, "-O3", "-march=native", *wide, "-fopenmp", "-fPIC", "-c", *map(str, _SOURCES)],
            [compiler, "-shared", "-Wl,-z,defs", *objects, str(runtime), "-o", str(linked)],
        ):
            subprocess.run(words, check=True, capture_output=True, errors="replace", timeout=_COMPILE_S, cwd=scratch)
        library = folder / f"{key}-{sha256_of(linked)[:16]}.so"
        write_file(library, linked.read_bytes())  # whole or absent, if several processes compile at once
    library.chmod(0o600)
    return library


def _is_private(path: Path) -> bool:
    """Whether nobody but this user can have written it."""
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022
