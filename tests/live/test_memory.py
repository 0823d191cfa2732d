"""Devices remembered: the file is whole or aside, never in the way."""

import json

import pytest

from neuralamp.live.memory import Memory, Setup, forget, memory_path, read_memory, write_memory


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURALAMP_CONFIG", str(tmp_path / "config"))


SETUP = Setup("Scarlett (ALSA)", "Monitors (ALSA)", 2, (3, 4), 44100.0, 12.5)


def test_what_was_written_is_read():
    assert read_memory() == (Memory(), "")
    assert write_memory(Memory().with_setup(SETUP)) == ""
    memory, trouble = read_memory()
    assert memory.last == SETUP and not trouble
    assert str(memory.last) == "Scarlett (ALSA), Monitors (ALSA), in 2, out 3 and 4, 44100 Hz, 12.5 dBu"
    assert [path.name for path in memory_path().parent.iterdir()] == ["devices.json"]


def test_each_pair_of_devices_keeps_what_was_measured_of_it():
    measured = Setup("a", "a", round_trip_frames=480, round_trip_rate=48000.0, input_dbu=4.0)
    memory = Memory().with_setup(measured).with_setup(SETUP).with_setup(Setup("a", "a", 2))
    assert [setup.input for setup in memory.setups] == ["a", "Scarlett (ALSA)"]
    assert memory.last.round_trip_ms == 10.0 and memory.last.input_dbu == 4.0 and memory.last.input_channel == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"setups": 1}', '{"setups": [{"input": 3}]}', '{"other": 1}', "\x00\xff"])
def test_a_broken_file_is_told_and_set_aside(text):
    memory_path().parent.mkdir(parents=True)
    memory_path().write_text(text)
    memory, trouble = read_memory()
    assert memory == Memory() and "set aside as devices.broken" in trouble and "\n" not in trouble
    assert not memory_path().exists() and memory_path().with_suffix(".broken").read_text() == text
    assert read_memory() == (Memory(), "")


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEURALAMP_CONFIG", str(tmp_path / "file" / "config"))
    assert "cannot be remembered" in write_memory(Memory().with_setup(SETUP))


def test_forgetting_forgets():
    write_memory(Memory().with_setup(SETUP))
    assert json.loads(memory_path().read_text())["setups"][0]["sample_rate"] == 44100.0
    forget()
    forget()
    assert read_memory() == (Memory(), "")
