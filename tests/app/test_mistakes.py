"""A user's mistake: one line that names it, an exit code that is not zero, and nothing written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuralamp.app.terminal import COMPILE_SECONDS
from neuralamp.learn.signals.guitar import riff
from tests.app.desk import is_one_line, neuralamp
from tests.reamp.studio import RATE, level_rig, wire

GUITAR_SECONDS = 8.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what people give a program by mistake, beside what they meant."""
    folder = tmp_path_factory.mktemp("bench")
    x = riff(GUITAR_SECONDS, RATE, 0)
    for name, sound, rate in (
        ("di", x, RATE), ("amped", np.tanh(4.0 * x), RATE), ("silence", 0.0 * x, RATE), ("amped-44", np.tanh(4.0 * x), 44100),
    ):  # fmt: skip
        soundfile.write(folder / f"{name}.wav", sound, rate, subtype="FLOAT")
    (folder / "text.wav").write_text("this is no sound")
    (folder / "empty.wav").write_bytes(b"")
    whole = wire(folder / "amp.onnx").read_bytes()
    (folder / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (folder / "cut.nam").write_text('{"version": "0.5.4", "architecture": "LSTM", "config": {"hid')
    (folder / "odd.nam").write_text('{"version": "0.5.4", "architecture": "Transformer", "config": {}, "weights": []}')
    level_rig(folder / "flat.toml", 0.0)
    (folder / "unknown.toml").write_text('[[chain]]\nbox = "level"\nlevle = 3.0\n')
    return folder


MISTAKES = [
    (("train", "di.wav", "silence.wav", "-o", "x.onnx"), "silence.wav is silent for 100 %"),
    (("train", "silence.wav", "amped.wav", "-o", "x.onnx"), "silence.wav is silent for 100 %"),
    (("train", "di.wav", "amped-44.wav", "-o", "x.onnx"), "di.wav runs at 48000 Hz but amped-44.wav at 44100 Hz"),
    (("train", "di.wav", "text.wav", "-o", "x.onnx"), "text.wav cannot be read as sound"),
    (("train", "di.wav", "empty.wav", "-o", "x.onnx"), "empty.wav is an empty file (0 bytes)"),
    (("train", "di.wav", "absent.wav", "-o", "x.onnx"), "absent.wav is not there"),
    (("train", "di.wav", "amped.wav", "-o", "x.onnx", "--recipe", "nix"), "recipe nix is unknown; known are"),
    (("train", "di.wav", "amped.wav", "-o", "x.onnx", "--budget", "soon"), 'budget "soon" is neither steps nor time'),
    (("train", "di.wav", "amped.wav", "-o", "x.wav"), "x.wav does not end in .onnx"),
    (("train", "di.wav", "amped.wav"), "Missing option"),
    (("evaluate", "cut.onnx", "di.wav", "amped.wav"), "it bears no mark of ours: it was cut short"),
    (("evaluate", "amp.onnx", "di.wav", "silence.wav"), "silence.wav is silent for 100 %"),
    (("reamp", "text.wav", "-c", "amp.onnx", "-o", "out"), "text.wav cannot be read as sound"),
    (("reamp", "empty.wav", "-c", "amp.onnx", "-o", "out"), "empty.wav is an empty file (0 bytes)"),
    (("reamp", "di.wav", "-c", "cut.nam", "-o", "out"), "cut.nam cannot be opened: it is not whole JSON"),
    (("reamp", "di.wav", "-c", "amp.onnx", "-o", "out", "--loudness", "18"), "loudness_db = 18.0 is not possible"),
    (("reamp", "di.wav", "-c", "cut.onnx", "-o", "out"), "it is not a whole ONNX file"),
    (("reamp", "di.wav", "-c", "absent.onnx", "-o", "out"), "absent.onnx is neither a file nor on the shelf"),
    (("reamp", "di.wav", "-r", "unknown.toml", "-o", "out"), "unknown.toml, line 3: level: level has no levle"),
    (("reamp", "di.wav", "-r", "absent.toml", "-o", "out"), "absent.toml is neither a file nor a shipped rig; shipped are"),
    (("reamp", "di.wav", "-r", "flat.toml", "-o", "out", "--tail", "long"), "--tail long is not possible"),
    (("reamp", "di.wav", "-r", "flat.toml", "-o", "out", "--clip", "maybe"), "clip = 'maybe' is unknown"),
    (("reamp", "di.wav", "-r", "flat.toml", "-o", "out", "--jobs", "0"), "0 jobs at once are not possible"),
    (("reamp", "di.wav", "-o", "out"), "give --capture FILE or --rig FILE.toml"),
    (("reamp", "*.mp3", "-r", "flat.toml", "-o", "out"), "*.mp3 holds no sound files"),
    (("info", "text.wav"), "text.wav cannot be read as sound"),
    (("info", "cut.onnx"), "it is not a whole ONNX file"),
    (("info", "unknown.toml"), "line 3: level: level has no levle"),
    (("info", "nix"), "nix is not there, and no such name is shipped"),
    (("info", "cut.nam"), "cut.nam cannot be opened: it is not whole JSON"),
    (("info", "odd.nam"), "architecture is 'Transformer'; it should be one of WaveNet"),
    (("convert", "amp.onnx", "flat.toml"), "flat.toml is there already; add --overwrite"),
    (("convert", "amp.onnx", "x.mp3"), "a capture ends in"),
    (("convert", "amp.onnx", "x.nam"), "x.nam cannot be written: its net is none that a .nam file can say"),
    (("convert", "cut.nam", "x.onnx"), "cut.nam cannot be opened: it is not whole JSON"),
    (("convert", "absent.nam", "x.onnx"), "absent.nam is neither a file nor on the shelf"),
    (("convert", "amp.onnx", "nowhere/x.onnx"), "the folder nowhere of x.onnx is not there"),
    (("live",), "either --capture FILE or --rig FILE.toml"),
    (("live", "-c", "cut.onnx"), "it is not a whole ONNX file"),
    (("live", "-r", "flat.toml", "--output-channels", "left"), "--output-channels left is not possible"),
    (("live", "-r", "flat.toml", "--against", "amp.onnx"), "a comparison wants two captures"),
    (("live", "-c", "amp.onnx", "--blind"), "a comparison wants two captures"),
    (("live", "--setlist", "flat.toml"), "chain is unknown here; known are: name, songs"),
    (("boxes", "ampp"), "there is no box ampp; did you mean amp?"),
    (("reamp", "di.wav", "-r", "flat.toml", "-o", "out", "--events", "nix"), "nix cannot be read as events"),
    (("reamp", "di.wav", "-r", "flat.toml", "--setlist", "flat.toml", "-o", "out"), "a set list names its rigs itself"),
    (("frobnicate",), "No such command 'frobnicate'"),
    (("reamp", "--nope"), "No such option: --nope"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
@pytest.mark.parametrize("machine", [False, True], ids=["people", "machine"])
def test_a_mistake_is_one_line_and_writes_nothing(
    bench: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str, machine: bool
):
    monkeypatch.chdir(bench)
    before = {path: path.stat().st_mtime_ns for path in bench.rglob("*")}
    answer = neuralamp(*words, *(["--json"] if machine else []))
    assert answer.code in (1, 2)
    assert message in answer.err
    assert is_one_line(answer.err)
    if machine:
        assert message in answer.facts["error"]
    assert {path: path.stat().st_mtime_ns for path in bench.rglob("*")} == before


def test_a_mistake_in_a_real_terminal_shows_no_traceback(bench: Path):
    command = [sys.executable, "-m", "neuralamp", "reamp", bench / "di.wav", "--rig", bench / "unknown.toml", "-o", bench / "out"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 1
    assert result.stdout == ""
    assert is_one_line(result.stderr.replace(f"compiling kernels, once, about {COMPILE_SECONDS} s\n", ""))


@pytest.mark.parametrize("command", ["demo", "train", "evaluate", "reamp", "live", "info", "convert", "doctor", "bench", "boxes"])
def test_every_command_explains_itself_with_an_example(command: str):
    answer = neuralamp(command, "--help")
    assert answer.code == 0
    assert f"neuralamp {command}" in answer.out.partition("Example")[2]
