"""Kernels on disk: never a stale one, never two starts in each other's way, never more than what is used."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import neuralamp
from neuralamp.blocks import eq
from neuralamp.dsp import kernel_cache

PLAY = """
import importlib, sys
import numpy as np
x = np.zeros((1, 256), np.float32)
x[0, 0] = 1.0
for word in sys.argv[1:]:
    kind = importlib.import_module(f"neuralamp.blocks.{word}").BOX
    part = kind(**{name: knob.high for name, knob in kind.knobs().items()}).prepare(48000.0, 1, 64)
    sys.stdout.write(part.node.play(x, part.channels).tobytes().hex())
"""


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package that may be edited; the folder to put on the path."""
    here = Path(neuralamp.__file__).parent
    shutil.copytree(here, tmp_path / "src" / "neuralamp", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "src"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NEURALAMP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kernels"


@pytest.fixture(autouse=True)
def forgotten():
    """What this process knows of its own kernels is asked anew, before and after."""
    known = (kernel_cache.open_kernel_cache, kernel_cache.kernel_folder, kernel_cache._imported)
    for each in known:
        each.cache_clear()
    yield
    for each in known:
        each.cache_clear()


def start(package: Path, *words: str) -> subprocess.Popen:
    """A new process that plays boxes of this copy, one after the other, an equaliser if none is named, and writes it."""
    command = [sys.executable, "-c", PLAY, *(words or ("eq",))]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(package)}, stdout=subprocess.PIPE)


def heard(process: subprocess.Popen) -> bytes:
    sound, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    assert sound and len(sound) % (2 * 4 * 256) == 0
    return sound


def test_an_edit_in_a_callee_is_heard_in_the_next_process(package, cache):
    before = heard(start(package))
    callee = package / "neuralamp" / "dsp" / "svf.py"
    edited = callee.read_text().replace("2.0 * v1 - memory[0]", "1.9 * v1 - memory[0]")
    assert edited != callee.read_text()
    callee.write_text(edited)
    assert heard(start(package)) != before


def test_an_edit_compiles_again_what_it_reaches_and_nothing_else(package, cache):
    before = heard(start(package))
    folders = set(cache.iterdir())
    (package / "neuralamp" / "dsp" / "svf.py").open("a").write("\n# the same sound\n")
    (package / "neuralamp" / "blocks" / "level.py").open("a").write("\n# not heard here\n")
    assert heard(start(package)) == before
    assert {folder.name.split("-")[0] for folder in set(cache.iterdir()) - folders} == {"dsp.svf", "blocks.eq"}


def test_the_second_start_compiles_nothing_wherever_the_package_lies(package, cache, tmp_path):
    first = heard(start(package))
    compiled = {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")}
    assert compiled
    assert heard(start(shutil.copytree(package, tmp_path / "elsewhere"))) == first
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb?")} == compiled


def test_four_cold_starts_at_once_are_safe(package, cache):
    started = [start(package) for _ in range(4)]
    sounds = {heard(process) for process in started}
    assert len(sounds) == 1
    assert heard(start(package)) in sounds


def test_boxes_compiled_by_two_processes_are_not_mistaken_for_each_other_in_a_third(package, cache):
    """They call the same functions on records of their own, and both processes have counted to the same number of types."""
    apart = [heard(start(package, word)) for word in ("octaver", "detune")]
    assert heard(start(package, "octaver", "detune")) == b"".join(apart)
    assert heard(start(package, "detune", "octaver")) == b"".join(reversed(apart))


def test_what_a_file_reaches_is_what_it_imports_and_what_that_imports():
    names = {path.relative_to(kernel_cache._PACKAGE).as_posix() for path in kernel_cache.reach(Path(eq.__file__))}
    assert {"blocks/eq.py", "block.py", "dsp/svf.py", "dsp/jit.py", "dsp/glide.py", "dsp/kernel_cache.py"} <= names
    assert not names & {"blocks/level.py", "dsp/oversample.py", "engine/stage.py"}


def test_a_kernel_outside_the_package_knows_what_it_calls(cache, tmp_path):
    folders = set()
    for text in ("from neuralamp.dsp import svf", "from neuralamp.dsp import svf  # edited", "from neuralamp.dsp.eq import x"):
        (tmp_path / "mine.py").write_text(text)
        kernel_cache.kernel_folder.cache_clear()
        kernel_cache._imported.cache_clear()
        folders.add(kernel_cache.kernel_folder(tmp_path / "mine.py"))
    assert len(folders) == 3
    (tmp_path / "stranger.py").write_text("import math")
    assert kernel_cache.KernelLocator.from_function(start, str(tmp_path / "stranger.py")) is None


def test_old_kernels_are_swept_and_used_ones_are_not(cache):
    now = time.time()
    ages = {"fresh": 0.0, "of_last_week": 7.0, "of_last_month": 30.0}
    for name, days in ages.items():
        (cache / name).mkdir(parents=True)
        (cache / name / "kernel.nbc").write_bytes(b"")
        os.utime(cache / name, (now - days * 86400.0,) * 2)
    (cache / "a_file").write_text("not ours")
    assert kernel_cache.open_kernel_cache() == cache
    assert {path.name for path in cache.iterdir()} == {"fresh", "of_last_week", "a_file"}


def test_a_folder_is_marked_as_used_today(cache):
    folder = kernel_cache.kernel_folder(Path(eq.__file__))
    folder.mkdir()
    os.utime(folder, (time.time() - 30.0 * 86400.0,) * 2)
    kernel_cache.kernel_folder.cache_clear()
    assert kernel_cache.kernel_folder(Path(eq.__file__)) == folder
    assert time.time() - folder.stat().st_mtime < 60.0


def test_a_cache_folder_that_cannot_be_made_is_replaced_by_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NEURALAMP_CACHE", str(tmp_path / "file"))
    folder = kernel_cache.open_kernel_cache()
    assert folder.is_dir()
    folder.rmdir()
