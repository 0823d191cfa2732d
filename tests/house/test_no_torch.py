"""Playing never loads torch: a capture, a rig and the commands that play them work where it was never installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reamp.studio import RATE, take, wire

WITHOUT_TORCH = """
import sys

# None: importing it fails, as where it was never installed
absent = dict.fromkeys(("torch", "matplotlib", "sounddevice", "pedalboard"))
sys.modules.update(absent)
sys.argv = ["neuralamp", *sys.argv[1:]]
from neuralamp.app.cli import main
try:
    main()
finally:
    assert not any(sys.modules[name] for name in absent)
"""


def neuralamp(*words: str | Path) -> subprocess.CompletedProcess:
    """A command in a fresh process where torch, matplotlib, sounddevice and pedalboard cannot be imported."""
    command = [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    wire(tmp_path / "amp.onnx", gain=0.5)
    (tmp_path / "rig.toml").write_text(
        '[[chain]]\nbox = "gate"\n[[chain]]\nbox = "amp"\ncapture = "amp.onnx"\n[[chain]]\nbox = "eq"\n'
    )
    return tmp_path / "rig.toml"


def test_a_rig_is_played_in_a_fresh_process_and_no_torch_is_loaded(rig: Path):
    code = (
        "import sys, numpy as np\n"
        "from neuralamp.engine import render\n"
        "from neuralamp.rig import read_rig\n"
        f"y = render(read_rig({str(rig)!r}), np.full((1, 100), 0.1, np.float32), {RATE})\n"
        "assert np.isfinite(y).all() and y.any()\n"
        "heavy = [name for name in ('torch', 'matplotlib', 'onnxruntime', 'pedalboard') if name in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr


def test_what_plays_works_where_torch_is_not_installed(rig: Path, tmp_path: Path):
    path = take(tmp_path / "take.wav")
    for words in (
        ("reamp", path, "--rig", rig, "--capture", tmp_path / "amp.onnx", "-o", tmp_path / "out", "--jobs", "1"),
        ("info", tmp_path / "amp.onnx"),
        ("info", rig),
        ("doctor",),
        ("bench", "--only", "level", "--seconds", "0.02"),
        ("--help",),
    ):
        result = neuralamp(*words)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("train", "a.wav", "b.wav", "-o", "x.onnx"), "train"),
        (("demo",), "train"),
        (("live", "--devices"), "live"),
        (("info", "pedalboard:Gain"), "plugins"),
    ],
    ids=["train", "demo", "live", "plugins"],
)
def test_a_missing_extra_is_one_line_that_says_what_to_install(words: tuple[str, ...], extra: str):
    result = neuralamp(*words)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"pip install 'neuralamp[{extra}]'" in result.stderr
