"""What a user does first works in a process that has imported NumPy and Hangtag alone, however slow the machine is.

A module is in `sys.modules` from the moment its import begins, so a thread may meet one that another thread is still
importing. Imports are slowed down at that very moment here, and worker threads are watched: they import nothing anew.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

SLOWED = """
import importlib.abc, importlib.machinery, sys, threading, time

anew = []

class Slowed(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if threading.current_thread() is not threading.main_thread():
            anew.append(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None and name in SLOW:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (time.sleep(0.2), execute(module))
        return spec

sys.meta_path.insert(0, Slowed())
SLOW = ("PIL.Image", "PIL.ImageFile", "PIL.TiffImagePlugin", "hangtag.preprocess.decode", "hangtag.preprocess.photo")
"""
KINDS = {
    "array_of_64": "numpy.zeros((64, 28, 28), 'uint8') + numpy.eye(28, dtype='uint8') * 200",
    "list_of_4": "[numpy.eye(28, dtype='uint8') * 200] * 4",
    "bytes": "open(PATH, 'rb').read()",
    "paths": "[PATH] * 4",
    "pillow_image": "__import__('PIL.Image').Image.open(PATH)",
    "mixed_list": "[PATH, numpy.eye(28, dtype='uint8') * 200, open(PATH, 'rb').read(), numpy.eye(40, dtype='uint8')]",
}


@pytest.fixture
def path(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # upright only after a turn: to know that, Pillow loads one more module
    Image.fromarray(np.eye(30, dtype=np.uint8) * 200).save(tmp_path / "x.png", exif=exif)
    return tmp_path / "x.png"


def code(kind, path, threads=0):
    recognise = f"hangtag.load('default').recognise({KINDS[kind].replace('PATH', repr(str(path)))})"
    if not threads:
        return f"import numpy, hangtag\nfound = {recognise}\nassert 'None' not in str(found), found"
    return f"""
import numpy, hangtag
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor({threads}) as pool:
    for future in [pool.submit(lambda: {recognise}) for _ in range({threads})]:
        assert 'None' not in str(future.result())"""


def start(source):
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)


@pytest.mark.parametrize(
    "kind", [kind if kind == "array_of_64" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_recognise_works_while_imports_are_slow(kind, path):
    done = start(SLOWED + code(kind, path) + "\nassert not anew, anew")
    assert done.returncode == 0, done.stderr


def test_recognise_works_from_several_threads_at_once_while_imports_are_slow(path):
    done = start(SLOWED + code("mixed_list", path, threads=6))
    assert done.returncode == 0, done.stderr


@pytest.fixture
def busy():
    """Three processes that never rest."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    yield
    for burner in burners:
        burner.kill()
        burner.wait()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["array_of_64", "list_of_4", "bytes", "pillow_image"])
def test_twenty_fresh_processes_beside_busy_ones_all_recognise(kind, path, busy):
    failed = [done.stderr for done in (start(code(kind, path)) for _ in range(20)) if done.returncode]
    assert not failed, f"{len(failed)} of 20: {failed[0]}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_on_a_folder_runs_through_beside_busy_processes(tmp_path, busy):
    pytest.importorskip("torch")
    for name, shade in (("coat", 90), ("dress", 160), ("shoe", 220)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.full((40, 40), 255, np.uint8)
            pixels[4 + number % 6 : 34, 10 : 20 + shade // 16] = 255 - shade
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    demo = [sys.executable, "-m", "hangtag", "demo", "--data", str(tmp_path / "photos")]
    for _ in range(6):
        done = subprocess.run(demo, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "TERM": "dumb"})
        assert done.returncode == 0, done.stderr
