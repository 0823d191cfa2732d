"""What the documents show must run."""

import re
from pathlib import Path

import numpy as np

from neuralamp.capture.file import open_capture
from neuralamp.nets import stream_at_rest
from tests.blocks.samples import small_capture
from tests.sound import cuts, error_db, noise

DOCS = Path(__file__).parents[2] / "docs"


def test_the_ten_lines_for_onnxruntime_play_the_capture(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", (DOCS / "capture-file.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 11
    capture = open_capture(small_capture(tmp_path / "amp.onnx"))
    monkeypatch.chdir(tmp_path)
    shown: dict = {}
    exec(code, shown)
    x = noise(1, 5000, seed=1, peak=0.5)
    shown["play"](np.zeros(48000, np.float32))
    ends = np.cumsum(cut := cuts(5000, np.random.default_rng(1), longest=512))
    y = np.concatenate([shown["play"](x[0, end - length : end]) for end, length in zip(ends, cut, strict=True)])
    right = stream_at_rest(capture.config, capture.weights).play(x, outputs=1)[0]
    assert error_db(y, right) < -100.0  # the parity that every capture is held to
