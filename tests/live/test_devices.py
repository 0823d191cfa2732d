"""What is known of devices, and what is said when PortAudio is not there."""

import subprocess
import sys

import pytest

from neuralamp.errors import DeviceError
from neuralamp.live import facts
from neuralamp.live.facts import device_facts
from neuralamp.resources import shipped


def test_every_file_of_device_facts_is_read_and_says_what_to_do():
    files = sorted(shipped("realtime/devices").glob("*.toml"))
    assert [file.stem for file in files] == ["alsa", "default", "jack"]
    for api in ("ALSA", "JACK Audio Connection Kit", ""):
        found = device_facts(api)
        assert found.api == api and found.start and found.busy
        assert found.latency in ("low", "high") or float(found.latency) > 0.0
        assert found.buffer_frames == 0  # a fixed size adds a buffer of latency on JACK


def test_a_kind_of_device_without_facts_has_the_default_ones():
    assert device_facts("Windows WASAPI") == device_facts("")


@pytest.mark.parametrize("text", ["api = ", 'api = "X"\nstart = "a"\nbusy = "b"\nlatncy = "low"', 'api = "X"'])
def test_facts_that_cannot_be_read_are_told_in_one_line(text, tmp_path, monkeypatch):
    (tmp_path / "broken.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(facts, "shipped", lambda folder: tmp_path)
    with pytest.raises(DeviceError, match=r"broken\.toml does not hold device facts \(.*\); mend it") as error:
        device_facts("X")
    assert "\n" not in str(error.value)


def test_playing_live_without_portaudio_says_which_package_to_install(tmp_path):
    # A process in which ctypes finds no library of that name: what a machine without libportaudio2 is.
    program = """
import ctypes.util, sys
ctypes.util.find_library = lambda name: None
from neuralamp.errors import DeviceError
from neuralamp.live import devices
try:
    devices()
except DeviceError as reason:
    print(reason)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("live sound needs the PortAudio library, which is not installed") or sys.platform != "linux"


def test_importing_the_live_room_loads_neither_sounddevice_nor_torch():
    program = "import sys, neuralamp.live; print([name for name in ('sounddevice', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
