"""Two real takes become a pair: moved, turned and trimmed to the clean pair, whatever was done to the amped file."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from neuralamp.audio import Audio, read_audio
from neuralamp.errors import PairError
from neuralamp.learn.pair import Pair, make_pair, open_pair

# What each device answers late by, and its sign. The amps were captured through a microphone some centimetres away: in
# their pauses, where noise alone plays, nothing at all correlates before these frames.
DEVICES = {
    "jcm_train": ("di_train", 22, 1),
    "jcm_val": ("di_val", 22, 1),
    "ampeg_train": ("di_train", 8, -1),
    "ampeg_val": ("di_val", 8, -1),
    "boss_lstm_train": ("di_train", 0, 1),
    "boss_lstm_val": ("di_val", 0, 1),
    "diode_output": ("diode_input", 0, 1),
}
SHORT = ("jcm_val", "ampeg_val", "boss_lstm_val", "diode_output")


@pytest.fixture(scope="module")
def takes(recordings):
    """A device's name -> its direct and its amped take, read once."""
    read: dict[str, Audio] = {}

    def both(device: str) -> tuple[Audio, Audio]:
        for name in (DEVICES[device][0], device):
            if name not in read:
                read[name] = read_audio(recordings / "pairs" / f"{name}.flac")
        return read[DEVICES[device][0]], read[device]

    return both


@pytest.fixture(scope="module")
def clean(takes):
    """A device's name -> its pair as recorded, made once."""
    made: dict[str, Pair] = {}

    def pair(device: str) -> Pair:
        if device not in made:
            made[device] = make_pair(*takes(device))
        return made[device]

    return pair


def late(samples, frames):
    """The take with `frames` of silence before it, or without its first `-frames`."""
    return np.pad(samples, ((0, 0), (frames, 0))) if frames >= 0 else samples[:, -frames:]


def names(pair):
    return [finding.name for finding in pair.findings]


def assert_same_sound(pair: Pair, clean: Pair):
    """Frame for frame the clean pair, over all that both have: no tolerance."""
    first = max(pair.start_frame, clean.start_frame)
    last = min(pair.start_frame + pair.frames, clean.start_frame + clean.frames)
    assert last - first > 0.99 * clean.frames
    for mine, wanted in ((pair.di, clean.di), (pair.amped, clean.amped)):
        assert np.array_equal(
            mine[first - pair.start_frame : last - pair.start_frame],
            wanted[first - clean.start_frame : last - clean.start_frame],
        )


@pytest.mark.parametrize("device", DEVICES)
def test_a_good_pair_raises_no_alarm(clean, device):
    pair = clean(device)
    assert pair.warnings == ()
    assert (pair.latency_frames, pair.polarity) == DEVICES[device][1:]
    assert "drift" not in names(pair)
    assert pair.di.dtype == pair.amped.dtype == np.float32
    assert pair.di.shape == pair.amped.shape == (pair.frames,)


@pytest.mark.parametrize("device", SHORT)
@pytest.mark.parametrize("frames", [137, -20])
def test_a_shifted_take_is_moved_back_to_the_frame(takes, clean, device, frames):
    di, amped = takes(device)
    pair = make_pair(di, replace(amped, samples=late(amped.samples, frames)))
    assert pair.latency_frames == clean(device).latency_frames + frames
    assert pair.polarity == clean(device).polarity
    assert_same_sound(pair, clean(device))


@pytest.mark.parametrize("device", SHORT)
def test_an_inverted_take_is_turned_round(takes, clean, device):
    di, amped = takes(device)
    pair = make_pair(di, replace(amped, samples=-amped.samples))
    assert pair.polarity == -clean(device).polarity
    assert ("polarity" in names(pair)) != ("polarity" in names(clean(device)))
    assert_same_sound(pair, clean(device))


@pytest.mark.parametrize("at_the_start", [False, True])
def test_a_take_shorter_by_20_ms_is_trimmed_and_said(takes, clean, at_the_start):
    di, amped = takes("ampeg_val")
    cut = amped.samples[:, 960:] if at_the_start else amped.samples[:, :-960]
    pair = make_pair(di, replace(amped, samples=cut))
    (remark,) = [finding for finding in pair.findings if finding.name == "lengths"]
    assert (remark.number, remark.unit, remark.level) == (-960.0, "frames", "note")
    assert_same_sound(pair, clean("ampeg_val"))


@pytest.mark.parametrize("device", ["jcm_train", "boss_lstm_val", "diode_output"])
def test_everything_wrong_at_once_is_put_right(takes, clean, device, tmp_path):
    di, amped = takes(device)
    wrong = -late(amped.samples, 137)[:, : -round(0.02 * amped.sample_rate)]
    for name, samples in (("di", di.samples), ("amped", np.repeat(wrong, 2, axis=0))):
        soundfile.write(tmp_path / f"{name}.wav", samples.T, amped.sample_rate, subtype="FLOAT")
    pair = open_pair(tmp_path / "di.wav", tmp_path / "amped.wav")
    assert pair.latency_frames == clean(device).latency_frames + 137
    assert pair.polarity == -clean(device).polarity
    assert {"stereo", "lengths", "latency"} <= set(names(pair))
    assert pair.warnings == ()
    assert all("amped.wav" in remark.text for remark in pair.findings if remark.name in ("stereo", "latency"))
    assert_same_sound(pair, clean(device))


def test_a_stereo_take_says_which_side_was_taken(takes, clean):
    di, amped = takes("diode_output")
    one = amped.samples
    other = np.random.default_rng(1).standard_normal(one.shape).astype(np.float32) * 1e-3

    def stereo(left, right, channel=None):
        pair = make_pair(di, replace(amped, samples=np.concatenate([left, right])), channel=channel)
        (remark,) = [finding for finding in pair.findings if finding.name == "stereo"]
        return pair, remark

    for sides in ((one, one), (one, 0 * one), (0 * one, one)):
        pair, remark = stereo(*sides)
        assert remark.level == "note"
        assert_same_sound(pair, clean("diode_output"))
    pair, remark = stereo(other, one)
    assert remark.level == "warning"
    assert "--channel" in remark.text and "(right)" in remark.text
    assert_same_sound(pair, clean("diode_output"))
    pair, remark = stereo(one, other, "left")
    assert remark.level == "note"
    assert_same_sound(pair, clean("diode_output"))
    pair, remark = stereo(0.5 * one, 1.5 * one, "mix")  # halves and doubles only: the mean is the take to the bit
    assert remark.level == "note"
    assert np.max(np.abs(pair.amped - clean("diode_output").amped)) < 1e-6  # a float32 rounding of 1.5 x


@pytest.mark.parametrize("device", DEVICES)
def test_the_held_out_part_never_meets_training(clean, device):
    pair = clean(device)
    held = np.zeros(pair.frames, bool)
    held[pair.held_out] = True
    seconds = held.sum() / pair.sample_rate
    assert 0.09 < held.mean() < 0.11
    assert seconds <= 20.0
    heard = np.zeros(pair.frames, bool)
    for part in pair.train_parts(8192):
        assert part.stop - part.start > 8192
        heard[part] = True
    assert not np.any(held & heard)
    assert heard.mean() > 0.85
    # Representative: as loud as the take within 3 dB, where 20 s of one song of these takes may lie 10 dB under it.
    level = 10 * np.log10(np.mean(pair.amped[pair.held_out] ** 2) / np.mean(pair.amped**2))
    assert abs(level) < 3.0


def test_a_net_that_listens_longer_than_the_take_is_refused(clean):
    with pytest.raises(PairError, match="record a longer take"):
        clean("diode_output").train_parts(30 * 50000)


def test_the_fingerprint_knows_this_pair_from_any_other(takes, clean):
    di, amped = takes("diode_output")
    again = make_pair(di, amped)
    touched = amped.samples.copy()
    touched[0, 1000] += 1e-6
    assert again.fingerprint == clean("diode_output").fingerprint
    assert again.held_out == clean("diode_output").held_out
    assert make_pair(di, replace(amped, samples=touched)).fingerprint != again.fingerprint


def test_a_latency_does_not_depend_on_which_part_of_the_take_is_played(takes):
    di, amped = takes("jcm_train")
    for start in (10, 60, 110):  # 30 s is what a hasty player records
        part = slice(start * 48000, (start + 30) * 48000)
        pair = make_pair(replace(di, samples=di.samples[:, part]), replace(amped, samples=amped.samples[:, part]))
        assert (pair.latency_frames, pair.polarity) == (22, 1)


def test_a_latency_that_is_known_is_taken_at_its_word(takes, clean):
    di, amped = takes("jcm_val")
    pair = make_pair(di, amped, latency=0)
    assert pair.latency_frames == 0
    assert np.array_equal(pair.di, di.samples[0])
    assert np.array_equal(pair.amped, amped.samples[0])
    assert pair.polarity == clean("jcm_val").polarity
