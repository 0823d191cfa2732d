"""The cab: the response it is given is the response it has, at any rate, with any channels."""

import time

import numpy as np
import pytest
import soundfile
from scipy.signal import oaconvolve

from neuralamp.blocks.cab import LONGEST_SECONDS, Cab
from neuralamp.errors import AudioFileError, KnobError
from tests.blocks.samples import impulse_response
from tests.sound import error_db, noise


@pytest.fixture
def ir(tmp_path):
    return impulse_response(tmp_path / "ir.wav")


def write(path, taps: np.ndarray, sample_rate: int = 48000, subtype: str = "FLOAT"):
    """(taps,) or (channels, taps) as a file."""
    soundfile.write(path, taps.T, sample_rate, subtype=subtype)
    return path


def play(box: Cab, x: np.ndarray, sample_rate: float = 48000.0) -> np.ndarray:
    part = box.prepare(sample_rate, len(x), 64)
    return part.node.play(x, part.channels)


@pytest.mark.parametrize("frames", [1, 300, 3000, 8192])
def test_it_is_the_convolution_with_the_file(tmp_path, frames):
    path = impulse_response(tmp_path / "ir.wav", frames=frames)
    taps, x = soundfile.read(path)[0], noise(1, 30000, seed=1)
    expected = oaconvolve(x[0].astype(np.float64), taps)[:30000]
    assert error_db(play(Cab(ir=path), x)[0], expected) < -120.0


@pytest.mark.parametrize("inputs", [1, 2])
@pytest.mark.parametrize("responses", [1, 2])
def test_left_goes_with_left_and_one_serves_both(tmp_path, inputs, responses):
    path = impulse_response(tmp_path / "ir.wav", channels=responses)
    taps, x = soundfile.read(path, always_2d=True)[0].T, noise(inputs, 8000, seed=2)
    y = play(Cab(ir=path), x)
    assert len(y) == max(inputs, responses)
    for lane, row in enumerate(y):
        heard, response = x[min(lane, inputs - 1)].astype(np.float64), taps[min(lane, responses - 1)]
        assert error_db(row, oaconvolve(heard, response)[:8000]) < -120.0


def test_level_is_in_decibels(ir):
    x = noise(1, 5000, seed=3)
    assert np.allclose(play(Cab(ir=ir, level=-20.0), x), 0.1 * play(Cab(ir=ir), x), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("file_rate", "rate"), [(44100, 48000.0), (48000, 44100.0), (96000, 48000.0), (48000, 96000.0)])
def test_it_sounds_the_same_at_any_rate(tmp_path, file_rate, rate):
    """The response of a resonance at 1 kHz, written at one rate and played at another: within 0.1 dB up to 15 kHz."""
    frames = np.arange(round(0.1 * file_rate))
    # an onset of 2 ms, as a speaker at some distance has it: an edge at frame 0 would lose its ringing to the left
    seconds = frames / file_rate
    taps = 0.01 * np.minimum(seconds / 0.002, 1.0) ** 2 * np.exp(-seconds / 0.01) * np.sin(2000.0 * np.pi * seconds)
    path, x = write(tmp_path / "ir.wav", taps, file_rate), np.zeros((1, 32768), np.float32)
    x[0, 0] = 1.0
    played = np.abs(np.fft.rfft(play(Cab(ir=path), x, rate)[0].astype(np.float64), round(rate)))[:4000]
    written = np.abs(np.fft.rfft(taps, file_rate))[:4000]  # bins of 1 Hz in both
    assert np.allclose(20.0 * np.log10(played[50:] / written[50:]), 0.0, atol=0.1)


def test_it_is_no_later_than_the_file_says(tmp_path):
    taps = np.zeros(500)
    taps[100] = 1.0
    path, x = write(tmp_path / "ir.wav", taps), noise(1, 2000, seed=4)
    assert np.array_equal(play(Cab(ir=path), x)[:, 100:], x[:, :-100])
    assert np.array_equal(play(Cab(ir=path, trim=True), x), x)


def test_silence_at_the_end_costs_nothing(tmp_path):
    taps = np.zeros(8000)
    taps[:100] = 1.0
    taps[200:] = 1e-5  # 100 dB down
    assert Cab(ir=write(tmp_path / "ir.wav", taps)).prepare(48000.0, 1, 64).tail_frames == 100


@pytest.mark.parametrize("rate", [44100.0, 48000.0, 96000.0])
def test_a_long_response_is_faded_out_at_171_ms(tmp_path, rate):
    taps = np.full(2 * 48000, 0.01)
    path = write(tmp_path / "ir.wav", taps)
    part = Cab(ir=path).prepare(rate, 1, 64)
    assert part.tail_frames == round(LONGEST_SECONDS * rate) == round(8192 * rate / 48000)
    x = np.zeros((1, 20000), np.float32)
    x[0, 0] = 1.0
    y = part.node.play(x, 1)[0]
    # the last 10 ms fall without a step; a resampled edge at frame 0 rings for a few frames, which are left out
    assert np.abs(np.diff(y[200:])).max() < 5e-5


@pytest.mark.parametrize("gain", [0.001, 1.0, 50.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_normalised_pink_noise_leaves_as_loud_as_it_came(tmp_path, gain, channels):
    taps = np.stack([gain * soundfile.read(impulse_response(tmp_path / "raw.wav", seed=k))[0] for k in range(channels)])
    part = Cab(ir=write(tmp_path / "ir.wav", taps), normalise=True).prepare(48000.0, 1, 64)
    x = np.zeros((1, 1 << 15), np.float32)
    x[0, 0] = 1.0
    frequencies = np.fft.rfftfreq(1 << 15, 1.0 / 48000.0)
    band = (frequencies >= 80.0) & (frequencies <= 8000.0)
    power = np.mean(np.abs(np.fft.rfft(part.node.play(x, channels).astype(np.float64))) ** 2, axis=0)[band]
    loudness_db = 10.0 * np.log10(np.sum(power / frequencies[band]) / np.sum(1.0 / frequencies[band]))
    assert loudness_db == pytest.approx(0.0, abs=0.05)  # bins of 1.5 Hz here, of 0.7 Hz in the box


@pytest.mark.parametrize(
    ("name", "samples", "message"),
    [
        ("silent.wav", np.zeros((100, 1)), "is silent"),
        ("wild.wav", np.array([[1.0], [np.nan]]), "not finite"),
        ("endless.wav", np.array([[1.0], [np.inf]]), "not finite"),
        ("surround.wav", np.ones((100, 6)), "6 channels"),
        ("take.wav", np.full((8000 * 11, 1), 0.1), "lasts 11.0 s"),
    ],
)
def test_a_file_that_is_no_response_is_refused_in_one_line(tmp_path, name, samples, message):
    soundfile.write(tmp_path / name, samples, 8000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match=message) as refused:
        Cab(ir=tmp_path / name).prepare(48000.0, 1, 64)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_recording_of_hours_is_refused_before_it_is_read(tmp_path):
    path = write(tmp_path / "night.wav", np.full(100, 0.1))
    head = path.read_bytes()
    with path.open("r+b") as file:
        file.write(head[:4] + b"\xff\xff\xff\xf0" + head[8 : head.index(b"data") + 4] + b"\xff\xff\xff\xf0")
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    begun = time.process_time()
    with pytest.raises(AudioFileError, match=r"night\.wav lasts .* shorter than 10 s"):
        Cab(ir=path).prepare(48000.0, 1, 64)
    assert time.process_time() - begun < 1.0


def test_a_text_file_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "notes.wav").write_text("not a sound")
    for name in ("notes.wav", "absent.wav"):
        with pytest.raises(AudioFileError, match=name):
            Cab(ir=tmp_path / name).prepare(48000.0, 1, 64)
    with pytest.raises(KnobError, match="cab needs ir"):
        Cab()


@pytest.mark.parametrize("bits", [16, 24])
def test_a_flac_is_as_good_as_its_bits(tmp_path, ir, bits):
    taps = soundfile.read(ir)[0]
    soundfile.write(tmp_path / "ir.flac", taps, 48000, subtype=f"PCM_{bits}")
    x = noise(1, 5000, seed=5)
    rounding_db = 20.0 * np.log10(2.0 ** (1 - bits) * np.sqrt(3000 / 12))  # of 3000 taps whose energy is one
    assert error_db(play(Cab(ir=tmp_path / "ir.flac"), x), play(Cab(ir=ir), x)) < rounding_db + 1.0
