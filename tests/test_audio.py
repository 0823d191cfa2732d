"""Sound files from strangers: what their heads promise costs nothing, what is no file is refused at once."""

import os
from pathlib import Path

import pytest

from neuralamp.audio import look_at_audio, read_audio
from neuralamp.errors import AudioFileError
from tests.reamp.studio import take


def test_a_head_that_promises_years_is_one_line(tmp_path: Path):
    path = take(tmp_path / "take.flac", frames=5000)
    whole = bytearray(path.read_bytes())
    whole[21] |= 0x0F  # the upper 4 of the 36 bits where a FLAC's head says how long it is: 16 days and more at 48 kHz
    path.write_bytes(whole)
    with pytest.raises(AudioFileError, match=r"take\.flac (says that it holds 644245\d* frames of 1 channels|cannot be read)"):
        read_audio(path)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.wav")
    for path, says in (
        (tmp_path / "pipe.wav", "is not a file"),
        (tmp_path, "is a folder"),
        (tmp_path / "absent.wav", "is not there"),
        (tmp_path / ("x" * 300), "is not to be had"),
    ):
        with pytest.raises(AudioFileError, match=says):
            look_at_audio(path)


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path):
    path = take(tmp_path / "take.wav")
    odd = path.rename(tmp_path / os.fsdecode(b"take \xff.wav"))
    assert read_audio(odd).frames == 9600
