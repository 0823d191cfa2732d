"""What a guitarist finds in the output folder: every take, as long, as deep and at the same time as it was."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuralamp.audio import read_audio
from neuralamp.engine import render
from neuralamp.reamp import Settings, reamp
from neuralamp.rig import capture_rig
from tests.reamp.studio import RATE, bext, chunks_of, level_rig, take, wire, with_chunks
from tests.sound import error_db

KEPT = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_24"), ("W64", "PCM_24"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"),
    ("CAF", "PCM_24"), ("CAF", "ALAC_24"), ("AU", "PCM_16"),
]  # fmt: skip


@pytest.mark.parametrize(("container", "subtype"), KEPT)
def test_a_wire_gives_back_the_take_in_its_own_container(tmp_path: Path, container: str, subtype: str):
    x = np.random.default_rng(2).uniform(-1, 1, (5001, 1)).astype(np.float32)
    path = tmp_path / f"take.{container.lower()}"
    soundfile.write(path, x, 44100, format=container, subtype=subtype)
    report = reamp([path], tmp_path / "out", captures=[wire(tmp_path / "amp.onnx", 44100)])
    assert report.count("done") == 1
    output = Path(report.files[0].output)
    assert output == tmp_path / "out" / f"take - amp{path.suffix}"
    before, after = soundfile.info(path), soundfile.info(output)
    for fact in ("frames", "samplerate", "channels", "format", "subtype"):
        assert getattr(after, fact) == getattr(before, fact)
    assert np.array_equal(read_audio(output).samples, read_audio(path).samples)


def test_the_time_reference_of_a_broadcast_wave_is_kept(tmp_path: Path):
    said = [(b"bext", bext(2**33 + 7, version=1)), (b"iXML", b"<BWFXML><SCENE>1</SCENE></BWFXML>"), (b"cue ", bytes(28))]
    path = with_chunks(take(tmp_path / "take.wav", subtype="PCM_24"), said, behind=True)
    report = reamp([path], tmp_path / "out", captures=[wire(tmp_path / "amp.onnx")])
    held = chunks_of(Path(report.files[0].output))
    for name, data in said:
        assert held[name] == data


def test_stereo_stays_stereo_and_each_side_hears_itself(tmp_path: Path):
    path = take(tmp_path / "take.wav", channels=2, subtype="FLOAT")
    report = reamp([path], tmp_path / "out", rigs=[level_rig(tmp_path / "half.toml", -6.0)])
    x, y = read_audio(path).samples, read_audio(report.files[0].output).samples
    assert y.shape == (2, 9600)
    assert error_db(y, x * 10.0 ** (-6.0 / 20.0)) < -120.0  # float32 rounds at -144 dB


def test_mono_becomes_stereo_only_where_the_rig_makes_it(tmp_path: Path):
    ir = np.zeros((64, 2), np.float32)
    ir[0] = 1.0, 0.5
    soundfile.write(tmp_path / "room.wav", ir, RATE, subtype="FLOAT")
    (tmp_path / "room.toml").write_text('[[chain]]\nbox = "cab"\nir = "room.wav"\n')
    path = take(tmp_path / "take.wav", subtype="FLOAT")
    report = reamp([path], tmp_path / "out", rigs=[tmp_path / "room.toml", level_rig(tmp_path / "flat.toml", 0.0)])
    assert [read_audio(file.output).channels for file in report.files] == [2, 1]


def test_a_surround_take_is_refused_by_name(tmp_path: Path):
    report = reamp([take(tmp_path / "six.wav", channels=6)], tmp_path / "out", captures=[wire(tmp_path / "amp.onnx")])
    assert "six.wav has 6 channels; a rig plays 1 or 2" in report.files[0].error
    assert not (tmp_path / "out").exists()


def test_a_recorded_guitar_in_the_file_is_what_the_engine_plays(tmp_path: Path, recordings: Path):
    amp = wire(tmp_path / "amp.onnx", gain=0.5)
    path = recordings / "di" / "raid.flac"
    report = reamp([path], tmp_path / "out", captures=[amp])
    x, y = read_audio(path), read_audio(report.files[0].output)
    played = render(capture_rig(amp), x.samples, x.sample_rate)
    step = 2.0 ** (1 - int(y.subtype.removeprefix("PCM_")))
    assert report.files[0].warnings == ()
    assert (
        np.abs(y.samples - played).max() <= 0.5 * step + 1e-7
    )  # rounded to the file's whole numbers, and float32's own rounding


# -- level ---------------------------------------------------------------------------------------------------------------


def test_an_integer_file_that_would_clip_is_made_quieter_and_says_by_how_much(tmp_path: Path):
    path = take(tmp_path / "take.wav", subtype="PCM_16", peak=0.9)
    report = reamp([path], tmp_path / "out", rigs=[level_rig(tmp_path / "loud.toml", 12.0)])
    x, y = read_audio(path).samples, read_audio(report.files[0].output).samples
    assert np.abs(y).max() == pytest.approx(1.0, abs=2.0 / 32768)  # as loud as 16 bits hold
    gain = float(np.vdot(x, y) / np.vdot(x, x))
    assert error_db(y, gain * x) < -80.0  # 16 bits round at -90 dB under a sound near full scale; clipping would leave about -15
    quieter = 12.0 - 20.0 * np.log10(gain)
    assert report.files[0].warnings == (f"made {quieter:.2f} dB quieter, else it would clip in 16 bits",)


def test_an_integer_file_that_would_clip_is_refused_when_asked(tmp_path: Path):
    path = take(tmp_path / "take.flac", peak=0.9)
    rigs = [level_rig(tmp_path / "loud.toml", 12.0), level_rig(tmp_path / "soft.toml", -12.0)]
    report = reamp([path], tmp_path / "out", rigs=rigs, settings=Settings(clip="refuse"))
    assert [file.status for file in report.files] == ["failed", "done"]
    assert "dB too loud for 24 bits" in report.files[0].error
    assert not Path(report.files[0].output).exists()


def test_a_float_file_keeps_what_the_rig_gives(tmp_path: Path):
    path = take(tmp_path / "take.wav", subtype="FLOAT", peak=0.9)
    report = reamp([path], tmp_path / "out", rigs=[level_rig(tmp_path / "loud.toml", 12.0)], settings=Settings(clip="refuse"))
    assert np.abs(read_audio(report.files[0].output).samples).max() == pytest.approx(0.9 * 10 ** (12 / 20), rel=1e-3)
    assert report.files[0].warnings == ()


def test_full_scale_itself_does_not_clip(tmp_path: Path):
    path = tmp_path / "take.wav"
    soundfile.write(path, np.array([32767, -32768, 0, 5], np.int16), RATE, subtype="PCM_16")
    report = reamp([path], tmp_path / "out", rigs=[level_rig(tmp_path / "flat.toml", 0.0)])
    assert report.files[0].warnings == ()
    assert soundfile.read(report.files[0].output, dtype="int16")[0].tolist() == [32767, -32768, 0, 5]


def test_numbers_that_are_none_never_reach_a_file(tmp_path: Path):
    x = np.zeros((4800, 1), np.float32)
    x[100] = np.nan
    soundfile.write(tmp_path / "bad.wav", x, RATE, subtype="FLOAT")
    x[100] = 3e38
    soundfile.write(tmp_path / "huge.wav", x, RATE, subtype="FLOAT")
    rigs = [level_rig(tmp_path / "loud.toml", 24.0)]
    report = reamp([tmp_path / "bad.wav", tmp_path / "huge.wav"], tmp_path / "out", rigs=rigs, processes=1)
    assert [file.status for file in report.files] == ["failed", "failed"]
    assert "bad.wav holds values that are no numbers" in report.files[0].error
    assert "loud gave values that are no numbers from 0.002 s" in report.files[1].error
    assert not (tmp_path / "out").exists()


def test_a_lossy_take_becomes_a_24_bit_wav_and_says_so(tmp_path: Path):
    path = tmp_path / "take.ogg"
    soundfile.write(path, np.random.default_rng(1).uniform(-0.3, 0.3, 9600), RATE)
    report = reamp([path], tmp_path / "out", rigs=[level_rig(tmp_path / "flat.toml", 0.0)])
    facts = soundfile.info(tmp_path / "out" / "take - flat.wav")
    assert (facts.format, facts.subtype, facts.frames) == ("WAV", "PCM_24", soundfile.info(path).frames)
    assert report.files[0].warnings == ("take.ogg is VORBIS, which loses sound; the output is a 24-bit WAV",)


def test_a_wav_that_was_cut_short_is_played_and_said(tmp_path: Path):
    path = take(tmp_path / "take.wav", frames=10000)
    path.write_bytes(path.read_bytes()[:-7500])  # a quarter of 10000 frames of 3 bytes
    report = reamp([path], tmp_path / "out", captures=[wire(tmp_path / "amp.onnx")])
    assert report.files[0].warnings == ("take.wav was cut short: 25 % of its sound is missing",)
    assert soundfile.info(report.files[0].output).frames == 7500


# -- length and rate -----------------------------------------------------------------------------------------------------


def test_the_tail_is_as_long_as_asked_or_as_the_rig_rings(tmp_path: Path):
    ir = np.zeros(2000, np.float32)
    ir[[0, 1999]] = 1.0, 0.5
    soundfile.write(tmp_path / "room.wav", ir, RATE, subtype="FLOAT")
    (tmp_path / "room.toml").write_text('[[chain]]\nbox = "cab"\nir = "room.wav"\n')
    path = take(tmp_path / "take.wav", subtype="FLOAT", frames=4800)
    lengths = {}
    for tail in (0.0, 0.25, None):
        folder = tmp_path / f"out {tail}"
        report = reamp([path], folder, rigs=[tmp_path / "room.toml"], settings=Settings(tail_seconds=tail))
        y = read_audio(report.files[0].output).samples
        lengths[tail] = y.shape[1]
        if tail is None:
            assert y[0, -1] != 0.0 or y[0, -2] != 0.0  # the last of the echo is there
    assert lengths[0.0] == 4800
    assert lengths[0.25] == 4800 + 12000
    assert 4800 + 1999 <= lengths[None] <= 4800 + 2000


def tones(sample_rate: int, frames: int) -> np.ndarray:
    """(1, frames) of twelve tones in the lower half of what the rate and 48 kHz hold; in the middle of a wave at both ends.

    Higher up soxr itself errs more: -94 dB at 7900 Hz on the way from 22050 to 48000 Hz.
    """
    rng = np.random.default_rng(6)
    phase = 2 * np.pi / sample_rate * np.arange(frames)
    waves = [
        rng.uniform(0.02, 0.1) * np.sin(f * phase + rng.uniform(0, 6)) for f in rng.uniform(50, min(sample_rate, RATE) / 4, 12)
    ]
    return np.sum(waves, axis=0, dtype=np.float64)[None].astype(np.float32)


@pytest.mark.parametrize("sample_rate", [44100, 96000, 22050])
def test_a_take_resampled_around_a_wire_lies_where_it_lay(tmp_path: Path, sample_rate: int):
    x = tones(sample_rate, 20011) * np.kaiser(20011, 20.0).astype(np.float32)  # off each tone, nothing over -150 dB
    soundfile.write(tmp_path / "take.wav", x[0], sample_rate, subtype="FLOAT")
    amp = wire(tmp_path / "amp.onnx")
    report = reamp([tmp_path / "take.wav"], tmp_path / "out", captures=[amp])
    y = read_audio(report.files[0].output)
    assert (y.frames, y.sample_rate) == (20011, sample_rate)
    # What the way in and the way out fold lies 109 dB below each tone; a shift of one frame would leave -5 dB.
    assert error_db(y.samples, x) < -105.0


def test_the_end_of_a_resampled_take_is_the_same_with_and_without_its_tail(tmp_path: Path):
    ir = np.random.default_rng(3).standard_normal(4000) * np.exp(-np.arange(4000) / 800.0)
    soundfile.write(tmp_path / "room.wav", 0.1 * ir, RATE, subtype="FLOAT")
    wire(tmp_path / "amp.onnx")
    (tmp_path / "room.toml").write_text('[[chain]]\nbox = "amp"\ncapture = "amp.onnx"\n[[chain]]\nbox = "cab"\nir = "room.wav"\n')
    soundfile.write(tmp_path / "take.wav", tones(44100, 10000)[0], 44100, subtype="FLOAT")
    ends = []
    for tail in (0.0, 0.5):
        settings = Settings(tail_seconds=tail)
        report = reamp([tmp_path / "take.wav"], tmp_path / f"out {tail}", rigs=[tmp_path / "room.toml"], settings=settings)
        ends.append(read_audio(report.files[0].output).samples[:, 9000:10000])
    # Beyond 1024 frames behind the end the resampling filter's arms are under -100 dB; cut off at the end they leave -30 dB.
    assert error_db(ends[0], ends[1]) < -100.0


def test_a_tail_is_counted_at_the_take_s_own_rate(tmp_path: Path):
    path = take(tmp_path / "take.wav", sample_rate=44100, frames=4410)
    settings = Settings(tail_seconds=0.5)
    report = reamp([path], tmp_path / "out", captures=[wire(tmp_path / "amp.onnx")], settings=settings)
    assert read_audio(report.files[0].output).frames == 4410 + 22050


def test_a_rig_of_two_rates_plays_each_capture_at_its_own(tmp_path: Path):
    wire(tmp_path / "a.onnx", 48000)
    wire(tmp_path / "b.onnx", 44100)
    text = "".join(f'[[chain]]\nbox = "amp"\ncapture = "{name}.onnx"\n' for name in "ab")
    (tmp_path / "two.toml").write_text(text)
    x = tones(44100, 20011) * np.kaiser(20011, 20.0).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", x[0], 44100, subtype="FLOAT")
    report = reamp([tmp_path / "take.wav"], tmp_path / "out", rigs=[tmp_path / "two.toml"])
    assert error_db(read_audio(report.files[0].output).samples, x) < -105.0
