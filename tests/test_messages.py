"""The bus: what can be said, how it is written, and what is answered to what cannot be said."""

import pytest

from neuralamp.errors import MessageError
from neuralamp.messages import (
    WORDS,
    Bypass,
    Change,
    Event,
    Loop,
    Mute,
    Panic,
    Recall,
    Record,
    Save,
    Tap,
    Turn,
    Undo,
    read_events,
    read_message,
    write_events,
    write_message,
)  # fmt: skip

SAID = {
    "turn delay.mix 40": Turn("delay", "mix", 40.0),
    "turn eq-2.low_cut -0.1": Turn("eq-2", "low_cut", -0.1),
    "bypass delay": Bypass("delay", None),
    "bypass delay on": Bypass("delay", True),
    "bypass delay off": Bypass("delay", False),
    "recall big lead": Recall("big lead"),
    "change next": Change("next"),
    "tap": Tap(),
    "loop overdub": Loop("overdub"),
    "record on": Record(True),
    "mute": Mute(None),
    "panic": Panic(),
    "save my lead": Save("my lead"),
    "undo": Undo(),
}


@pytest.mark.parametrize("text", SAID)
def test_a_line_says_a_message_and_a_message_its_line(text):
    assert read_message(text) == SAID[text]
    assert read_message(write_message(SAID[text])) == SAID[text]


def test_every_kind_of_message_is_tried_here():
    assert {type(message) for message in SAID.values()} == set(WORDS.values())


def test_blanks_do_not_matter():
    assert read_message("  turn   delay.mix\t40 ") == Turn("delay", "mix", 40.0)


WRONG = {
    "": "says nothing that can be done; it begins with one of: turn, bypass",
    "louder": "'louder' says nothing that can be done; it begins with one of: turn, bypass",
    "turn delay 40": "is not a turn; say the box, its knob and a number: turn delay.mix 40",
    "turn delay.mix": "is not a turn",
    "turn delay.mix loud": "is not a turn",
    "turn .mix 4": "is not a turn",
    "bypass": "lacks a box: bypass delay on",
    "bypass delay maybe": "ends in 'maybe'; it is on, off, or nothing for the other way",
    "recall": "lacks a name: recall lead",
    "loop backwards": "a looper can: record, overdub, play, stop, undo, clear",
    "loop": "a looper can: record",
    "record now": "ends in 'now'",
    "tap twice": "says too much; tap stands alone",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_said_is_answered_in_one_line(text):
    with pytest.raises(MessageError) as error:
        read_message(text)
    assert WRONG[text] in str(error.value)


def test_a_file_of_events_is_read_in_frames_and_in_seconds(tmp_path):
    path = tmp_path / "song.events"
    path.write_text("# the song\n\n96000 recall lead  # solo\n0\ttap\n1.5s turn amp.input 6\n")
    assert read_events(path, 48000.0) == [
        Event(0, Tap()),
        Event(72000, Turn("amp", "input", 6.0)),
        Event(96000, Recall("lead")),
    ]


def test_events_are_written_as_they_are_read(tmp_path):
    events = [Event(frame, message) for frame, message in enumerate(SAID.values())]
    (tmp_path / "all").write_text(write_events(events))
    assert read_events(tmp_path / "all", 48000.0) == events


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 tap\nsoon tap\n", "line 2: 'soon' is no time"),
        ("-1 tap", "line 1: '-1' is no time"),
        ("nans tap", "line 1: 'nans' is no time"),
        ("1e300s tap", "line 1: '1e300s' is no time"),
        ("0 jump", "line 1: 'jump' says nothing that can be done"),
        ("0", "line 1: '' says nothing that can be done"),
    ],
)
def test_a_wrong_line_of_a_file_is_told_with_its_number(text, says, tmp_path):
    (tmp_path / "song").write_text(text)
    with pytest.raises(MessageError, match="song") as error:
        read_events(tmp_path / "song", 48000.0)
    assert says in str(error.value)


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "sound").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "sound", tmp_path / "nowhere"):
        with pytest.raises(MessageError, match="cannot be read as events"):
            read_events(path, 48000.0)
