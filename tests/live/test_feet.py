"""Keys as foot switches."""

import pytest

from neuralamp.blocks import boxes
from neuralamp.engine import Board, Engine
from neuralamp.live.feet import HELP, KEYS, Feet
from neuralamp.messages import Turn
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import Song


@pytest.fixture
def feet() -> Feet:
    snapshots = (Snapshot("soft", (Turn("level", "level", -12.0),)), Snapshot("loud", (Turn("level", "level", 6.0),)))
    songs = [Song(name, Rig(name, (boxes()["level"](),), snapshots)) for name in ("one", "two")]
    return Feet(Board(Engine(songs[0].rig, 48000, live=True), songs))


def level(feet: Feet) -> float:
    return feet.board.engine.stands["level"].values["level"]


def write(feet: Feet, text: str) -> None:
    for key in text:
        assert feet.press(key)


def test_digits_recall_snapshots_by_their_number(feet):
    write(feet, "2")
    assert level(feet) == 6.0
    write(feet, "1")
    assert level(feet) == -12.0
    write(feet, "3")
    assert feet.said == "one has 2 snapshots, and none of number 3"


def test_keys_step_through_snapshots_and_songs_and_take_back(feet):
    write(feet, "s")
    assert feet.board.snapshot == "soft"
    write(feet, "n")
    assert feet.board.songs[feet.board.song].name == "two"
    write(feet, "p")
    assert feet.board.songs[feet.board.song].name == "one"
    write(feet, "uu")
    assert feet.board.songs[feet.board.song].name == "one"
    assert level(feet) == -12.0


def test_enter_unmutes_m_mutes_and_panic_mutes(feet):
    feet.board.muted = True
    write(feet, "\n")
    assert not feet.board.muted
    write(feet, "m")
    assert feet.board.muted
    write(feet, "m!")
    assert feet.board.muted


def test_behind_a_colon_a_message_is_written_in_words(feet):
    write(feet, ":turn level.level -20")
    assert level(feet) == 0.0 and feet.typed == "turn level.level -20"
    write(feet, "\n")
    assert level(feet) == -20.0 and feet.typed is None
    write(feet, ":turn level.level -3\x7f6\n")
    assert level(feet) == -6.0
    write(feet, ":turn level.level -3\x1b")
    assert level(feet) == -6.0 and feet.typed is None
    write(feet, ":q")  # writes, and does not quit
    assert feet.typed == "q"


def test_what_cannot_be_done_is_said_until_something_else_is_done(feet):
    write(feet, ":turn amp.input 3\n")
    assert feet.said == "the rig one has no amp; it has: level"
    write(feet, "r")
    assert "no tape" in feet.said
    write(feet, "s")
    assert feet.said == ""


def test_q_quits_and_other_keys_do_nothing(feet):
    write(feet, "xyz0é")
    assert not feet.press("q")


def test_every_key_is_told_in_the_help():
    assert all(f"{key} " in HELP for key in KEYS if key != "\n")
