"""The cab: the response it is given is the response it has, at any rate, with any channels."""

import time

import numpy as np
import pytest
import soundfile
from scipy.signal import oaconvolve

from neuralamp.blocks.cab import LONGEST_SECONDS, Cab
from neuralamp.errors import AudioFileError, KnobError
from neuralamp.rig import read_rig
from tests.blocks.samples import impulse_response
from tests.sound import at_rest, cuts, error_db, noise, play_in_cuts, reset


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


@pytest.fixture
def pair(tmp_path):
    """Two responses that have nothing in common but their beginning, the second shorter."""
    return impulse_response(tmp_path / "a.wav", seed=1), impulse_response(tmp_path / "b.wav", seed=2, frames=700)


@pytest.mark.parametrize("blend", [0.0, 30.0, 100.0])
@pytest.mark.parametrize(("one", "two", "inputs"), [(1, 1, 1), (2, 1, 1), (1, 2, 2), (2, 2, 2)])
def test_a_blend_is_the_sum_of_both_by_their_shares(tmp_path, blend, one, two, inputs):
    a = impulse_response(tmp_path / "a.wav", channels=one, seed=1)
    b = impulse_response(tmp_path / "b.wav", channels=two, seed=2, frames=5000)
    x = noise(inputs, 12000, seed=6)
    y = play(Cab(ir=a, ir_b=b, blend=blend, align=False), x)
    assert len(y) == max(one, two, inputs)
    for lane, row in enumerate(y):
        heard = x[min(lane, inputs - 1)].astype(np.float64)
        first, second = (soundfile.read(path, always_2d=True)[0].T for path in (a, b))
        parts = [oaconvolve(heard, taps[min(lane, len(taps) - 1)])[:12000] for taps in (first, second)]
        assert error_db(row, (1.0 - blend / 100.0) * parts[0] + blend / 100.0 * parts[1]) < -120.0


@pytest.mark.parametrize("blend", [0.0, 17.0, 50.0, 100.0])
def test_a_response_blended_with_itself_is_itself_bit_for_bit(ir, blend):
    x = noise(1, 9000, seed=7)
    assert np.array_equal(play(Cab(ir=ir, ir_b=ir, blend=blend), x), play(Cab(ir=ir), x))


@pytest.mark.parametrize("turned", [1.0, -1.0])
@pytest.mark.parametrize(
    ("later", "note"),
    [(12, "moved 12 frames earlier"), (-31, "moved 31 frames later"), (480, "moved 480 frames earlier"), (0, "")],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_copy_that_is_late_or_turned_over_is_brought_together_exactly(tmp_path, later, turned, note, channels):
    rng, taps = np.random.default_rng(8), np.zeros((channels, 2600))
    taps[:, 100:2000] = rng.standard_normal((channels, 1900)) * np.exp(-np.arange(1900) / 300.0)
    a = write(tmp_path / "a.wav", taps)
    b = write(tmp_path / "b.wav", turned * np.roll(taps, later, axis=1))
    part = Cab(ir=a, ir_b=b).prepare(48000.0, 1, 64)
    x = noise(1, 9000, seed=9)
    assert np.array_equal(part.node.play(x, channels), play(Cab(ir=a), x))
    (told,) = part.notes
    assert note in told
    assert ("ir_b turned over" in told) == (turned < 0.0)
    assert Cab(ir=a, ir_b=b, align=False).prepare(48000.0, 1, 64).notes == ()


def test_two_microphones_at_one_speaker_thin_each_other_unless_they_are_aligned(tmp_path):
    """The second 21 frames farther away, duller and turned over: half of each keeps the body of the first."""
    rng, taps = np.random.default_rng(10), np.zeros(2000)
    taps[50:1550] = rng.standard_normal(1500) * np.exp(-np.arange(1500) / 100.0)
    taps = np.convolve(taps, [0.25, 0.5, 0.25], "same")
    far = -np.convolve(np.roll(taps, 21), 0.3 * 0.7 ** np.arange(30))[:2000]
    a, b = write(tmp_path / "a.wav", taps), write(tmp_path / "b.wav", far)
    x = noise(1, 20000, seed=11)
    alone, together, apart = (
        10.0 * np.log10(np.mean(np.square(play(box, x))))
        for box in (Cab(ir=a), Cab(ir=a, ir_b=b), Cab(ir=a, ir_b=b, align=False))
    )
    assert together > alone - 2.0
    assert apart < together - 1.5


def test_no_sound_is_cut_off_to_bring_the_second_forward(tmp_path):
    """It begins at once and is late all the same: the first one waits instead."""
    a, b = np.zeros(500), np.zeros(500)
    a[0], b[0], b[40] = 1.0, 0.1, 1.0
    part = Cab(ir=write(tmp_path / "a.wav", a), ir_b=write(tmp_path / "b.wav", b)).prepare(48000.0, 1, 64)
    assert part.notes == ("align: ir moved 40 frames later",)
    x = np.zeros((1, 500), np.float32)
    x[0, 0] = 1.0
    y = part.node.play(x, 1)[0]
    assert np.array_equal(np.flatnonzero(y), [0, 40])
    assert y[[0, 40]] == pytest.approx([0.05, 1.0])


def test_responses_with_nothing_in_common_are_left_where_they_are(tmp_path):
    rng = np.random.default_rng(12)
    a, b = (write(tmp_path / f"{name}.wav", rng.standard_normal(4000)) for name in "ab")
    (note,) = Cab(ir=a, ir_b=b).prepare(48000.0, 1, 64).notes
    assert "ir_b stays as it is" in note


def test_the_blend_glides_and_any_cut_of_it_sounds_the_same(pair):
    box = Cab(ir=pair[0], ir_b=pair[1], blend=0.0)
    node, x = box.prepare(48000.0, 2, 64).node, noise(2, 12000, seed=13, peak=0.5)
    turns = {1001: box.goals({"level": 0.0, "blend": 100.0}, 48000.0), 6003: box.goals({"level": -6.0, "blend": 40.0}, 48000.0)}
    rest, goal = at_rest(node), node.goal.copy()
    whole = play_in_cuts(node, x, 2, [12000], turns)
    for cut in [cuts(12000, np.random.default_rng(14)) for _ in range(4)] + [[1] * 12000]:
        reset(node, rest)
        node.goal[:] = goal
        assert np.array_equal(play_in_cuts(node, x, 2, cut, turns), whole)
    ends = [play(Cab(ir=path), x) for path in pair]
    assert np.array_equal(whole[:, :1001], ends[0][:, :1001])
    half = 1001 + round(0.008 * np.log(2.0) * 48000.0)  # 8 ms to 63 %
    assert np.allclose(whole[:, half], 0.5 * (ends[0] + ends[1])[:, half], atol=0.01)
    assert np.allclose(whole[:, 6000], ends[1][:, 6000], atol=1e-4)  # 100 ms later


def test_a_rig_finds_its_second_response_beside_it_and_needs_none(tmp_path, ir):
    impulse_response(tmp_path / "b.wav", seed=2)
    (tmp_path / "rig.toml").write_text('[[chain]]\nbox = "cab"\nir = "ir.wav"\nir_b = "b.wav"\n')
    assert read_rig(tmp_path / "rig.toml").boxes()["cab"].files() == (ir, tmp_path / "b.wav")
    assert Cab(ir=ir).files() == (ir,)
    with pytest.raises(AudioFileError, match=r"absent\.wav"):
        Cab(ir=ir, ir_b=tmp_path / "absent.wav").prepare(48000.0, 1, 64)
