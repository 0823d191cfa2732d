"""An evaluation says what a guitarist would hear of the file."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from neuralamp.capture.file import open_capture
from neuralamp.dsp import measure
from neuralamp.errors import CaptureError
from neuralamp.learn.evaluate import evaluate
from neuralamp.learn.recipe import read_recipe
from neuralamp.learn.train import train
from neuralamp.nets import architecture_of
from tests.learn.small import LSTM, TRAINING, WAVENET


@pytest.fixture(scope="module", params=[WAVENET, LSTM], ids=["wavenet", "lstm"])
def capture_file(request, small_pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "small.toml").write_text(request.param + TRAINING)
    train(small_pair, folder / "amp.onnx", read_recipe(folder / "small.toml"), budget="200")
    return folder / "amp.onnx"


def test_the_figures_are_those_of_the_playing_form(capture_file, small_pair):
    found = evaluate(capture_file, small_pair)
    capture = open_capture(capture_file)
    node = architecture_of(capture.config).stream(capture.config, capture.weights)
    rest = capture.config.settling_frames
    node.play(np.zeros((1, rest), np.float32), outputs=1)
    # Another cut of the stream than evaluate's: the player gives the same bits.
    di = small_pair.di[None]
    played = np.concatenate([node.play(di[:, :1000], 1), node.play(di[:, 1000:], 1)], axis=1)[0, rest:]
    amped = small_pair.amped[rest:]
    assert found.esr == measure.esr(played, amped)
    assert found.esr_preemphasis == measure.esr_preemphasis(played, amped)
    assert found.mrstft == measure.mrstft(played, amped)
    assert found.level_difference_db == measure.level_difference_db(played, amped)
    assert found.steps == capture.card.steps


def test_a_spoilt_half_second_is_found(capture_file, small_pair):
    spoilt = small_pair.amped.copy()
    start = 2 * small_pair.sample_rate
    spoilt[start : start + small_pair.sample_rate // 2] *= -1.0
    found = evaluate(capture_file, replace(small_pair, amped=spoilt))
    assert found.worst_seconds == pytest.approx(2.0, abs=0.25)  # the search goes in steps of a quarter second
    assert found.worst_esr > 1.0  # against a wave turned over, any likeness makes the error larger than the sound


@pytest.mark.parametrize("late", [3, -2])
def test_a_pair_aligned_by_some_frames_less_is_no_error_of_the_capture(capture_file, small_pair, late):
    clean = evaluate(capture_file, small_pair)
    found = evaluate(capture_file, replace(small_pair, amped=np.roll(small_pair.amped, late)))
    assert found.latency_frames == clean.latency_frames + late
    assert found.esr == pytest.approx(clean.esr, rel=1e-3)  # of 4 s, some frames at the ends are missing


def test_a_louder_amp_is_told_in_db(capture_file, small_pair):
    louder = evaluate(capture_file, replace(small_pair, amped=2.0 * small_pair.amped))
    difference = evaluate(capture_file, small_pair).level_difference_db - louder.level_difference_db
    assert difference == pytest.approx(6.0206, abs=1e-3)


def test_the_picture_is_a_picture(capture_file, small_pair, tmp_path):
    found = evaluate(capture_file, small_pair, tmp_path / "amp.png")
    data = found.picture.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND"
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1500, 1100)  # width, height of the PNG header
    assert 30_000 < len(data) < 2_000_000  # an empty canvas of this size takes 8 kB


def test_a_pair_at_another_rate_is_refused(capture_file, small_pair):
    with pytest.raises(CaptureError, match=r"runs at 48000 Hz but the pair is at 50000 Hz; add --resample 48000"):
        evaluate(capture_file, replace(small_pair, sample_rate=50_000))


def test_a_take_shorter_than_the_settling_is_still_measured(capture_file, small_pair):
    short = replace(small_pair, di=small_pair.di[:6000], amped=small_pair.amped[:6000])
    assert 0.0 < evaluate(capture_file, short).esr < 10.0


def test_no_capture_no_figures(tmp_path, small_pair):
    (tmp_path / "amp.onnx").write_text("no capture")
    with pytest.raises(CaptureError, match="bears no mark of ours"):
        evaluate(tmp_path / "amp.onnx", small_pair)
