"""What is wrong with a pair is said with a number and a cure; what makes training pointless stops it."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from scipy import signal

from neuralamp.audio import Audio, read_audio, resample
from neuralamp.errors import AudioFileError, PairError
from neuralamp.learn.pair import make_pair, open_pair

RATE = 48000


@pytest.fixture(scope="module")
def takes(recordings):
    """Half a minute of a real direct take and of the same through a high-gain amp."""
    part = slice(0, 30 * RATE)
    both = [read_audio(recordings / "pairs" / f"{name}_val.flac") for name in ("di", "jcm")]
    return [replace(take, samples=take.samples[:, part]) for take in both]


def played(seconds=8.0, seed=3):
    """Noise-excited decaying tones with pauses, a guitar as far as an alignment cares: (1, frames) float32."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE)
    sound = np.zeros(frames + RATE)
    for start in range(0, frames, RATE // 2):
        pitch = rng.uniform(90, 400)
        n = np.arange(RATE)
        tone = sum(np.sin(2 * np.pi * pitch * k * n / RATE) / k for k in range(1, 12)) * np.exp(-n / 4000)
        pick = rng.standard_normal(RATE) * np.exp(-n / 300)
        sound[start : start + RATE] += rng.uniform(0.03, 0.2) * (tone + 0.3 * pick)
    sound[:frames] += 1e-5 * rng.standard_normal(frames)
    return sound[None, :frames].astype(np.float32)


def driven(di):
    """A soft clipper behind a second-order low-pass: a plain causal amp."""
    return signal.lfilter(*signal.butter(2, 5000, fs=RATE), np.tanh(4 * di)).astype(np.float32) * 0.5


def pair_of(di, amped, **options):
    return make_pair(Audio(di, RATE), Audio(amped, RATE), names=("di.wav", "amp.wav"), **options)


def remark(pair, name):
    """All remarks of that name as (level, file named first)."""
    return [(finding.level, finding.text.split()[0]) for finding in pair.findings if finding.name == name]


@pytest.fixture(scope="module")
def di():
    return played()


@pytest.fixture(scope="module")
def amped(di):
    return driven(di)


def test_a_plain_amp_is_found_at_once_and_nothing_is_said_against_it(di, amped):
    pair = pair_of(di, amped)
    assert (pair.latency_frames, pair.polarity) == (0, 1)
    assert pair.warnings == ()


def test_a_take_half_a_second_late_is_still_found(di, amped):
    assert pair_of(di, np.pad(amped, ((0, 0), (24000, 0)))).latency_frames == 24000
    assert pair_of(np.pad(di, ((0, 0), (24000, 0))), amped).latency_frames == -24000


@pytest.mark.parametrize("ppm", [-50.0, -12.0, 12.0, 50.0])
def test_two_clocks_are_told_by_their_drift_and_stop(takes, ppm):
    di, amped = takes
    drifting = resample(amped.samples, 1e6, 1e6 + ppm)
    with pytest.raises(PairError, match=r"drifts by ([+-][\d.]+) ppm") as caught:
        make_pair(di, replace(amped, samples=drifting))
    told = float(str(caught.value).split("drifts by ")[1].split()[0])
    # 4 frames over 30 s: a loud moment of this amp answers up to 7 frames later than a quiet one.
    assert told == pytest.approx(ppm, abs=4 / (30 * RATE) * 1e6)


def test_a_slight_drift_is_a_warning(recordings):
    both = [read_audio(recordings / "pairs" / f"{name}_train.flac") for name in ("di", "ampeg")]
    pair = make_pair(both[0], replace(both[1], samples=resample(both[1].samples, 1e6, 1e6 + 0.5)))
    (drift,) = [finding for finding in pair.findings if finding.name == "drift"]
    assert drift.level == "warning"
    assert drift.number == pytest.approx(0.5, abs=0.1)  # ppm; a frame in 180 s is 0.12


def test_a_clipped_direct_take_is_told_and_a_distorted_amp_is_not(di, amped):
    flat = np.clip(di, -0.1, 0.1)
    assert remark(pair_of(flat, driven(flat)), "clipping") == [("warning", "di.wav")]
    hard = np.clip(8 * di, -0.5, 0.5)  # a hard clipper as an effect: exact, but far under full scale
    assert remark(pair_of(di, hard), "clipping") == []
    assert remark(pair_of(di, np.clip(4 * amped, -1, 1)), "clipping") == [("warning", "amp.wav")]


def test_a_dc_offset_is_told(di, amped):
    assert remark(pair_of(di, amped + np.float32(0.06)), "dc_offset") == [("warning", "amp.wav")]
    assert remark(pair_of(di + np.float32(-0.05), amped), "dc_offset") == [("warning", "di.wav")]
    assert remark(pair_of(di, amped), "dc_offset") == []


def test_noise_and_hum_are_told_in_the_pauses():
    di = played()
    di[:, 3 * RATE : 5 * RATE] *= 1e-3  # a pause
    amped = driven(di)
    n = np.arange(di.shape[1])
    quiet = pair_of(di, amped)
    assert {level for level, _ in remark(quiet, "noise_floor")} == {"note"}
    assert remark(quiet, "hum") == []
    noise = 0.03 * np.random.default_rng(5).standard_normal(di.shape).astype(np.float32)
    assert remark(pair_of(di, amped + noise), "noise_floor") == [("note", "di.wav"), ("warning", "amp.wav")]
    for mains in (50, 60):
        hum = sum(np.sin(2 * np.pi * mains * k * n / RATE + k) / k for k in range(1, 6)) * 0.015
        pair = pair_of(di, amped + hum.astype(np.float32))
        (told,) = [finding for finding in pair.findings if finding.name == "hum"]
        assert told.level == "warning" and f"{mains} Hz" in told.text and told.text.startswith("amp.wav")
        wanted = 20 * np.log10(0.015 * np.sqrt(sum(1 / k**2 for k in range(1, 6)) / 2))
        assert told.number == pytest.approx(wanted, abs=1.0)  # dB, what noise in the same bins adds


def test_a_silent_take_stops(di, amped):
    with pytest.raises(PairError, match=r"amp.wav is silent for 100 % of its length \(peak -180 dBFS\)"):
        pair_of(di, 0 * amped)
    with pytest.raises(PairError, match=r"di.wav is silent .*; also, amp.wav is silent"):
        pair_of(1e-5 * di, 1e-5 * amped)


def test_long_pauses_are_a_warning(di, amped):
    pause = np.zeros((1, 12 * RATE), np.float32)
    pair = pair_of(np.concatenate([di, pause], axis=1), np.concatenate([amped, pause], axis=1))
    assert remark(pair, "silence") == [("warning", "di.wav"), ("warning", "amp.wav")]
    assert np.std(pair.amped[pair.held_out]) > 0.0


def test_different_rates_stop_unless_resampling_is_asked(takes, tmp_path):
    di, amped = takes
    soundfile.write(tmp_path / "di.wav", di.samples.T, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "amp.wav", resample(amped.samples, RATE, 44100).T, 44100, subtype="FLOAT")
    with pytest.raises(PairError, match=r"di.wav runs at 48000 Hz but amp.wav at 44100 Hz; .*--resample 48000"):
        open_pair(tmp_path / "di.wav", tmp_path / "amp.wav")
    pair = open_pair(tmp_path / "di.wav", tmp_path / "amp.wav", resample=48000)
    assert pair.sample_rate == 48000
    assert pair.warnings == ()
    # The round trip's linear-phase filters ring before the front at 20 kHz: early by a few frames, which harms nothing.
    assert 18 <= pair.latency_frames <= 22
    with pytest.raises(PairError, match="--resample 4 "):
        open_pair(tmp_path / "di.wav", tmp_path / "amp.wav", resample=4)


@pytest.mark.parametrize("wrong", ["di", "amp"])
@pytest.mark.parametrize("rate", [44100, 96000])
def test_a_header_with_a_wrong_rate_is_named(takes, wrong, rate):
    di, amped = takes
    samples = {"di": di.samples, "amp": amped.samples}
    samples[wrong] = resample(samples[wrong], RATE, rate)
    with pytest.raises(PairError, match=f"{wrong}.wav says 48000 Hz in its header but was recorded at {rate} Hz"):
        pair_of(samples["di"], samples["amp"])


def test_takes_of_two_performances_stop(takes, recordings):
    di, _ = takes
    other = read_audio(recordings / "pairs" / "jcm_train.flac").samples[:, 60 * RATE : 90 * RATE]
    with pytest.raises(PairError, match="do not belong together"):
        pair_of(di.samples, other)
    noise = np.random.default_rng(7).standard_normal(di.samples.shape).astype(np.float32) * 0.1
    with pytest.raises(PairError, match="do not belong together"):
        pair_of(di.samples, noise)
    with pytest.raises(PairError, match="very same sound"):
        pair_of(di.samples, di.samples)


@pytest.mark.parametrize("device", ["jcm_val", "ampeg_val", "ampeg_train", "boss_lstm_val", "diode_output"])
def test_swapped_files_are_noticed(recordings, device):
    direct = "diode_input" if device == "diode_output" else f"di_{device.split('_')[-1]}"
    di, amped = (read_audio(recordings / "pairs" / f"{name}.flac") for name in (direct, device))
    assert [finding.name for finding in make_pair(amped, di).warnings] == ["swapped"]


@pytest.mark.parametrize("exchanged", [False, True])
def test_a_linear_device_never_looks_swapped(takes, exchanged):
    di = takes[0].samples
    rng = np.random.default_rng(11)
    room = rng.standard_normal(12000) * np.exp(-np.arange(12000) / 3000)
    room[0] = 20.0
    for amped in (
        signal.lfilter(*signal.butter(2, [100, 4000], "bandpass", fs=RATE), di),
        signal.lfilter(*signal.butter(2, 800, "highpass", fs=RATE), di) + 1e-4 * rng.standard_normal(di.shape),
        0.02 * signal.oaconvolve(di, room[None])[:, : di.shape[1]],
    ):
        both = (amped.astype(np.float32), di) if exchanged else (di, amped.astype(np.float32))
        assert remark(pair_of(*both), "swapped") == []


def test_a_take_too_short_stops(di, amped):
    with pytest.raises(PairError, match=r"amp.wav lasts 0.90 s; record at least 3 s"):
        pair_of(di, amped[:, : round(0.9 * RATE)])


def test_what_is_no_sound_stops(di, amped, tmp_path):
    broken = amped.copy()
    broken[0, 100] = np.nan
    with pytest.raises(PairError, match=r"amp.wav holds values that are no numbers"):
        pair_of(di, broken)
    soundfile.write(tmp_path / "di.wav", di.T, RATE)
    (tmp_path / "text.wav").write_text("not a sound")
    with pytest.raises(AudioFileError, match=r"text.wav cannot be read as sound"):
        open_pair(tmp_path / "di.wav", tmp_path / "text.wav")
