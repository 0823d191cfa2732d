"""Playing as last time."""

import sys

import pytest

from neuralamp.app.commands.devices import remember, wanted
from neuralamp.errors import DeviceError, RigError
from neuralamp.live.devices import Device, find_again
from neuralamp.live.memory import forget, memory_path, read_memory
from neuralamp.live.stream import Ports

devices = sys.modules["neuralamp.live.devices"]  # the package has a function of that name
SCARLETT = Device(3, "Scarlett", "ALSA", 2, 4, 48000.0)
NOTHING = ((None, None), None, None, None, None)


@pytest.fixture(autouse=True)
def scarlett(tmp_path, monkeypatch):
    """A machine with one interface, and an empty config folder."""
    monkeypatch.setenv("NEURALAMP_CONFIG", str(tmp_path))
    monkeypatch.setattr(devices, "devices", lambda: [SCARLETT])


def test_without_options_it_is_played_as_last_time_and_said_so(capsys):
    assert wanted(*NOTHING).device == (None, None) and capsys.readouterr().err == ""
    remember(Ports(SCARLETT, SCARLETT, 2, (3, 4)), 44100.0, 12.5)
    again = wanted(*NOTHING)
    assert again.device == ("Scarlett (ALSA)", "Scarlett (ALSA)") and again.input_channel == 2
    assert (again.output_channels, again.rate, again.input_dbu) == ((3, 4), 44100.0, 12.5)
    said = capsys.readouterr().err
    assert said == "as last time: Scarlett (ALSA), in 2, out 3 and 4, 44100 Hz, 12.5 dBu; --forget begins anew\n"


@pytest.mark.parametrize("given", [{"device": ("x", "x")}, {"input_channel": 1}, {"output_channels": "1,2"}, {"rate": 48000}])
def test_any_option_of_the_device_is_taken_as_it_is(given, capsys):
    remember(Ports(SCARLETT, SCARLETT, 2, (3, 4)), 44100.0, None)
    nothing = {"device": (None, None), "input_channel": None, "output_channels": None, "rate": None, "input_dbu": None}
    found = wanted(**nothing | given)
    assert found.input_channel == 1 and found.output_channels == (1, 2) and found.device == given.get("device", (None, None))
    assert capsys.readouterr().err == ""


def test_a_device_that_is_not_there_is_told_and_the_system_s_own_is_played_on(monkeypatch, capsys):
    remember(Ports(SCARLETT, SCARLETT, 2, (3, 4)), None, None)
    monkeypatch.setattr(devices, "devices", list)
    assert wanted(*NOTHING).device == (None, None)
    assert "not as last time, for it is not there: Scarlett" in capsys.readouterr().err


def test_a_broken_memory_is_told_and_set_aside(capsys):
    memory_path().write_text("{")
    assert wanted(*NOTHING).device == (None, None)
    assert "set aside" in capsys.readouterr().err
    remember(Ports(SCARLETT, SCARLETT, 1, (1,)), None, None)
    forget()
    assert read_memory()[0].last is None


def test_channels_that_are_no_numbers_or_not_there_are_told():
    with pytest.raises(RigError, match="--output-channels left is not possible"):
        wanted((None, None), None, "left", None, None)
    with pytest.raises(DeviceError, match="Scarlett has no output channel 5; it has 4"):
        Ports(SCARLETT, SCARLETT, 1, (5,))


def test_a_device_is_found_again_by_its_model_where_its_number_changed(monkeypatch):
    was = Device(1, "USB Audio (hw:1,0)", "ALSA", 2, 2, 48000.0)
    now = Device(5, "USB Audio (hw:2,0)", "ALSA", 2, 2, 48000.0)
    other = Device(1, "HDA Intel (hw:1,0)", "ALSA", 2, 2, 48000.0)
    monkeypatch.setattr(devices, "devices", lambda: [other, now])
    assert find_again(was, "input") == now
    monkeypatch.setattr(devices, "devices", lambda: [other])
    assert find_again(was, "input") is None
