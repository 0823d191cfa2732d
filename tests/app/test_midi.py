"""The MIDI commands without a pedal: what is not installed, not connected or not possible is said in one line."""

import sys

import pytest

from neuralamp.live.midi import ports
from tests.app.desk import is_one_line, neuralamp


@pytest.mark.parametrize("package", ["mido", "rtmidi"])
def test_without_the_extra_the_commands_say_what_to_install(package, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, package, None)
    for words in (("list",), ("monitor",), ("learn", "tap", "--map", tmp_path / "my.toml")):
        answer = neuralamp("midi", *words)
        assert answer.code == 1
        assert answer.err == f"error: this needs {package}, not installed here; pip install 'neuralamp[midi]'\n"


def test_without_a_pedal_the_commands_say_so(tmp_path):
    if found := ports():
        pytest.skip(f"this machine has {found[0]}")
    for words in (("monitor",), ("learn", "tap", "--map", tmp_path / "my.toml")):
        answer = neuralamp("midi", *words, "--json")
        assert answer.code == 1
        assert is_one_line(answer.err) and answer.facts["error"].startswith("nothing that sends MIDI is connected")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("learn", "fly", "--map", "my.toml"), "'fly' says nothing that can be done"),
        (("learn", "tap", "--map", "my.toml", "--when", "hold"), "when = 'hold' is for bypass, mute and record"),
        (("monitor", "--map", "absent"), "absent is neither a file nor a shipped MIDI map"),
        (("learn", "tap"), "Missing option '--map'"),
        (("fly",), "No such command 'fly'"),
    ],
)
def test_what_is_not_possible_is_told_before_anybody_lifts_a_foot(words, says):
    answer = neuralamp("midi", *words)
    assert answer.code in (1, 2)
    assert is_one_line(answer.err) and says in answer.err
