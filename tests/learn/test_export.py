"""A capture is written only where every player sounds as the net learned."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from neuralamp.capture.file import open_capture, save_capture
from neuralamp.capture.loudness import measure_loudness
from neuralamp.engine import play_capture
from neuralamp.errors import TrainingError
from neuralamp.learn import export as exporting
from neuralamp.learn.export import export, play_in_torch
from neuralamp.learn.train import train


@pytest.fixture
def learned(small_pair, small_recipe, tmp_path_factory):
    """What a short training made."""
    return open_capture(train(small_pair, tmp_path_factory.mktemp("learned") / "amp.onnx", small_recipe).file)


def test_what_learned_is_what_is_written_and_played(learned, small_pair, tmp_path):
    exported = export(tmp_path / "amp.onnx", learned, small_pair)
    assert exported.parity_db > 100.0  # what export itself asks for
    opened = open_capture(tmp_path / "amp.onnx")
    assert all(np.array_equal(opened.weights[name], learned.weights[name]) for name in learned.weights)
    di = small_pair.di[:48_000]
    error = play_capture(tmp_path / "amp.onnx", di, 48_000) - play_in_torch(learned, di)
    assert np.sqrt(np.mean(error**2)) < 1e-5 * np.sqrt(np.mean(play_in_torch(learned, di) ** 2))  # 100 dB
    assert opened.card.esr == exported.esr
    assert opened.card.loudness_db == measure_loudness(opened)


def one_weight_off(capture):
    name = next(name for name in capture.weights if name.endswith(("conv.weight", "hh_l0")))
    wrong = dict(capture.weights)
    wrong[name] = wrong[name].copy()
    wrong[name].flat[0] += 0.01  # heard some 60 dB under the sound
    return replace(capture, weights=wrong)


def test_a_player_that_differs_is_refused_and_nothing_is_written(learned, small_pair, tmp_path, monkeypatch):
    def play_another(path, di, sample_rate):
        save_capture(tmp_path / "other.capture.onnx", one_weight_off(open_capture(path)))
        played = play_capture(tmp_path / "other.capture.onnx", di, sample_rate)
        (tmp_path / "other.capture.onnx").unlink()
        return played

    monkeypatch.setattr(exporting, "play_capture", play_another)
    (tmp_path / "amp.onnx").write_text("what stood here before")
    with pytest.raises(TrainingError, match=r"difference lies \d+\.\d dB under the sound, at least 100 dB") as caught:
        export(tmp_path / "amp.onnx", learned, small_pair)
    assert "\n" not in str(caught.value)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir() if path.suffix == ".onnx"] == [
        ("amp.onnx", "what stood here before")
    ]


def test_a_file_that_differs_in_onnxruntime_is_refused(learned, small_pair, tmp_path, monkeypatch):
    def late(path, capture, di):
        return np.roll(exporting_play(path, capture, di), 1)

    exporting_play = exporting.play_in_onnxruntime
    monkeypatch.setattr(exporting, "play_in_onnxruntime", late)
    with pytest.raises(TrainingError, match="would not sound as it learned"):
        export(tmp_path / "amp.onnx", learned, small_pair)
    assert list(tmp_path.glob("*.onnx")) == []


def test_a_net_that_is_silent_is_refused(learned, small_pair, tmp_path):
    silent = replace(learned, weights={name: np.zeros_like(array) for name, array in learned.weights.items()})
    with pytest.raises(TrainingError, match="learned silence"):
        export(tmp_path / "amp.onnx", silent, small_pair)
    assert list(tmp_path.glob("*.onnx")) == []
