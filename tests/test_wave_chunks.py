"""What a WAV says beside its sound: found wherever it stands, put where every reader looks, and never trusted."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neuralamp.audio import Audio, read_audio, write_audio
from neuralamp.errors import AudioFileError
from neuralamp.wave_chunks import Chunk, missing_share, read_chunks
from tests.reamp.studio import bext, chunks_of, take, with_chunks
from tests.sound import noise


@pytest.mark.parametrize("behind", [False, True])
def test_a_take_knows_its_place_wherever_its_recorder_wrote_it(tmp_path: Path, behind: bool):
    said = [(b"bext", bext(172800000, version=1)), (b"iXML", b"<BWFXML/>"), (b"cue ", bytes(28)), (b"LIST", b"adtl" + bytes(3))]
    path = with_chunks(take(tmp_path / "take.wav"), said, behind)
    assert [(chunk.name, chunk.data) for chunk in read_chunks(path)] == said


def test_titles_and_strange_chunks_stay_behind(tmp_path: Path):
    path = with_chunks(take(tmp_path / "take.wav"), [(b"LIST", b"INFOINAM" + bytes(8)), (b"junk", bytes(5))])
    assert read_chunks(path) == []


def test_loudness_that_was_the_input_s_is_not_claimed_for_the_output(tmp_path: Path):
    path = with_chunks(take(tmp_path / "take.wav"), [(b"bext", bext(0, version=2))])
    (chunk,) = read_chunks(path)
    assert struct.unpack("<5H", chunk.data[412:422]) == (0x7FFF,) * 5  # "not measured", EBU Tech 3285
    assert chunk.data[:412] == bext(0, version=2)[:412]
    assert chunk.data[422:] == bext(0, version=2)[422:]


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAVEX", "PCM_24"), ("RF64", "PCM_24")])
def test_the_sound_is_the_same_with_and_without(tmp_path: Path, container: str, subtype: str):
    audio = Audio(noise(2, 70000, seed=3, peak=0.9), 48000, container, subtype)
    bare, full = tmp_path / "bare.wav", tmp_path / "full.wav"
    said = [Chunk(b"bext", bext(123456789)), Chunk(b"iXML", b"odd")]
    write_audio(bare, audio)
    write_audio(full, audio, said)
    assert np.array_equal(soundfile.read(bare)[0], soundfile.read(full)[0])
    held = chunks_of(full)
    filled = b"\n" if container == "RF64" else b""  # both are of odd length, which many readers of RF64 cannot bear
    assert held[b"bext"] == said[0].data + filled
    assert held[b"iXML"] == b"odd" + filled
    names = list(held)
    assert names.index(b"bext") < names.index(b"data")  # some readers stop at the sound
    if container == "RF64":
        assert struct.unpack("<Q", held[b"ds64"][:8])[0] == full.stat().st_size - 8
    assert read_chunks(full)[0].data[338:346] == struct.pack("<Q", 123456789)


@pytest.mark.parametrize("container", ["WAV", "AIFF", "FLAC", "RF64", "CAF", "W64"])
def test_the_same_sound_gives_the_same_bytes_on_another_day(tmp_path: Path, container: str):
    audio = Audio(noise(1, 1000, seed=4, peak=0.9), 48000, container, "PCM_16" if container == "FLAC" else "FLOAT")
    write_audio(tmp_path / "a", audio)
    time.sleep(1.1)  # the clock that libsndfile writes into a file counts seconds
    write_audio(tmp_path / "b", audio)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_cut_of_a_file_is_read_without_harm(tmp_path: Path):
    path = with_chunks(take(tmp_path / "take.wav", frames=10), [(b"bext", bext(0)), (b"iXML", b"<BWFXML/>")])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert len(read_chunks(path)) <= 2


def test_a_chunk_that_claims_more_than_there_is_costs_nothing(tmp_path: Path):
    path = tmp_path / "take.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 100) + b"WAVE" + b"bext" + struct.pack("<I", 0xFFFFFFF0) + bytes(50))
    assert read_chunks(path) == []


def test_a_take_too_long_for_its_container_is_refused_before_a_byte_is_written(tmp_path: Path):
    hours = np.broadcast_to(np.float32(0.0), (2, 2**30))  # 6 GiB in 24 bits, none in memory
    with pytest.raises(AudioFileError, match=r"6\.0 GiB; WAV ends at 4: use RF64"):
        write_audio(tmp_path / "hours.wav", Audio(hours, 48000, "WAV", "PCM_24"))
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_come_back_as_they_went(tmp_path: Path):
    for subtype, bits in {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24}.items():
        steps = np.random.default_rng(5).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), 5000)
        x = (steps / 2.0 ** (bits - 1)).astype(np.float32)[None]
        write_audio(tmp_path / "x.wav", Audio(x, 48000, "WAV", subtype))
        assert np.array_equal(read_audio(tmp_path / "x.wav").samples, x)


def test_a_file_of_nothing_but_empty_chunks_costs_no_time(tmp_path):
    path = take(tmp_path / "long.wav")
    with path.open("r+b") as file:
        file.truncate(4 * 2**30)  # sparse: it takes no room on the disk
    begun = time.process_time()
    assert read_chunks(path) == []
    assert missing_share(path) == 0.0
    assert time.process_time() - begun < 1.0  # it was minutes
