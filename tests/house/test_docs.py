"""What the documents show must run."""

import re
from pathlib import Path

import numpy as np
import pytest

from neuralamp.capture.capture import Capture
from neuralamp.capture.card import Card
from neuralamp.capture.file import open_capture, save_capture
from neuralamp.nets import stream_at_rest
from neuralamp.nets.lstm.config import LstmConfig
from tests.blocks.samples import small_capture
from tests.sound import cuts, error_db, noise

DOCS = Path(__file__).parents[2] / "docs"


def capture_with_a_beginning(path: Path) -> Path:
    """Of a net whose states begin elsewhere than at zero, which the graph gives as defaults."""
    config = LstmConfig(4, layers=2, initial_state=True)
    rng = np.random.default_rng(2)
    weights = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in config.weights().items()}
    save_capture(path, Capture(config, weights, Card(name="begins")))
    return path


@pytest.mark.parametrize("capture_in", [small_capture, capture_with_a_beginning])
def test_the_ten_lines_for_onnxruntime_play_the_capture(capture_in, tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (DOCS / "capture-file.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 11
    capture = open_capture(capture_in(tmp_path / "amp.onnx"))
    monkeypatch.chdir(tmp_path)
    shown: dict = {}
    exec(code, shown)
    x = noise(1, 5000, seed=1, peak=0.5)
    shown["play"](np.zeros(48000, np.float32))
    ends = np.cumsum(cut := cuts(5000, np.random.default_rng(1), longest=512))
    y = np.concatenate([shown["play"](x[0, end - length : end]) for end, length in zip(ends, cut, strict=True)])
    right = stream_at_rest(capture.config, capture.weights).play(x, outputs=1)[0]
    assert error_db(y, right) < -100.0  # the parity that every capture is held to
