"""The pedal board: snapshots, songs, taps, undo; the same list of messages live and in a render."""

import threading
import time

import numpy as np
import pytest
from numba import carray

from neuralamp.block import Block, Knob
from neuralamp.blocks import boxes
from neuralamp.dsp.glide import amplify
from neuralamp.dsp.node import State, node
from neuralamp.engine import Board, Engine, render
from neuralamp.engine.plan import Plan
from neuralamp.errors import EngineError, KnobError, MessageError
from neuralamp.messages import Bypass, Change, Event, Loop, Mute, Panic, Recall, Record, Tap, Turn, Undo
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import Song, one_song
from tests.blocks.samples import small_capture
from tests.sound import noise

RATE = 48000


def level(db: float = 0.0) -> Block:
    return boxes()["level"](level=db)


LEAD = Snapshot("lead", (Turn("level", "level", 6.0), Bypass("eq", False)))
CLEAN = Snapshot("clean", (Turn("level", "level", -6.0),))


def snapped() -> Rig:
    eq = boxes()["eq"](bass=6.0)
    eq.bypassed = True
    return Rig("snapped", (level(), eq), (LEAD, CLEAN))


def board(*songs: Song, **more) -> Board:
    songs = songs or one_song(snapped())
    return Board(Engine(songs[0].rig, RATE, live=True), songs, **more)


def play(board: Board, frames: int = 64) -> np.ndarray:
    return board.engine.play(np.full((1, frames), 0.25, np.float32))


def stands(board: Board) -> tuple[float, bool]:
    return board.engine.stands["level"].values["level"], board.engine.stands["eq"].bypassed


def test_a_snapshot_is_the_rig_as_its_file_has_it_but_for_what_it_says():
    desk = board()
    desk.act(Turn("eq", "bass", -9.0))
    desk.act(Recall("lead"))
    assert stands(desk) == (6.0, False)
    assert desk.engine.stands["eq"].values["bass"] == 6.0
    desk.act(Recall("clean"))
    assert stands(desk) == (-6.0, True)


def test_a_snapshot_is_heard_at_its_frame_all_knobs_at_once():
    x = noise(1, 6000, seed=1, peak=0.25)
    y = render(snapped(), x, RATE, [Event(3000, Recall("lead"))])
    by_hand = [Event(3000, Turn("level", "level", 6.0)), Event(3000, Bypass("eq", False))]
    assert np.array_equal(y[:, :3000], x[:, :3000])
    assert np.array_equal(y, render(snapped(), x, RATE, by_hand))
    assert not np.array_equal(y[:, 3000:3100], x[:, 3000:3100])


def test_next_and_previous_go_round():
    desk = board()
    found = []
    for name in ("next", "next", "next", "previous", "previous"):
        desk.act(Recall(name))
        found.append(desk.snapshot)
    assert found == ["lead", "clean", "lead", "clean", "lead"]
    desk = board()
    desk.act(Recall("previous"))
    assert desk.snapshot == "clean"


def test_a_number_calls_a_snapshot_or_a_song_and_a_name_goes_before():
    desk = board(*one_song(snapped()), Song("1", snapped()), Song("third", snapped()))
    desk.act(Recall("2"))
    assert desk.snapshot == "clean"
    desk.act(Change("3"))
    assert desk.song == 2
    desk.act(Change("1"))
    assert desk.song == 1
    for beyond in ("0", "4", "-1", "1.0"):
        with pytest.raises(MessageError, match="there is no rig"):
            desk.act(Change(beyond))


def test_undo_takes_back_act_by_act():
    desk = board()
    desk.act(Turn("level", "level", 3.0))
    desk.act(Bypass("eq"))
    desk.act(Recall("clean"))
    assert stands(desk) == (-6.0, True)
    desk.act(Undo())
    assert stands(desk) == (3.0, False)
    desk.act(Undo())
    assert stands(desk) == (3.0, True)
    desk.act(Undo())
    assert stands(desk) == (0.0, True)
    with pytest.raises(MessageError, match="there is nothing to undo"):
        desk.act(Undo())


def test_a_sweep_of_one_knob_is_taken_back_in_one():
    desk = board()
    for value in (1.0, 2.0, 3.0):
        desk.act(Turn("level", "level", value))
    desk.act(Turn("eq", "bass", 1.0))
    desk.act(Turn("level", "level", 4.0))
    desk.act(Undo())
    assert desk.engine.stands["level"].values["level"] == 3.0
    desk.act(Undo())
    desk.act(Undo())
    assert desk.engine.stands["level"].values["level"] == 0.0


def test_undo_of_a_change_of_rig_brings_the_old_one_back_as_it_stood():
    desk = board(*one_song(snapped()), Song("other", Rig("other", (level(-3.0),))))
    desk.act(Turn("level", "level", 3.0))
    desk.act(Change("other"))
    assert desk.engine.plan.rig.name == "other"
    desk.act(Undo())
    assert desk.engine.plan.rig.name == "snapped"
    assert stands(desk) == (3.0, True)


def test_what_is_not_there_is_told_and_nothing_is_done():
    desk = board()
    for message, says in (
        (Turn("amp", "input", 1.0), "has no amp; it has: level, eq"),
        (Turn("level", "tone", 1.0), "level has no knob tone"),
        (Turn("level", "level", 99.0), "from -60 to 24 dB"),
        (Bypass("amp"), "has no amp"),
        (Recall("solo"), "there is no snapshot 'solo'; there are: lead, clean; or say next, previous, or a number"),
        (Change("solo"), "there is no rig 'solo'; there are: snapped"),
        (Loop("record"), "has no looper"),
        (Record(True), "there is no tape"),
    ):
        with pytest.raises((KnobError, MessageError, EngineError), match=says):
            desk.act(message)
    assert stands(desk) == (0.0, True)
    with pytest.raises(MessageError, match="nothing to undo"):
        desk.act(Undo())


def test_a_rig_without_snapshots_says_so():
    with pytest.raises(MessageError, match="has no snapshots; give it some"):
        board(Song("plain", Rig("plain", (level(),)))).act(Recall("lead"))


class Beat(Block):
    """A box that has a tempo, as a delay does."""

    tempo = Knob(120.0, 40.0, 240.0, "bpm", "beats a minute")
    state = State(goal=(1,), now=(1,), slew=float, channels=int)

    @staticmethod
    def design(knobs, sample_rate, xp):
        return xp.stack([knobs.tempo])

    @node(state)
    def play(inputs, outputs, frames, state):
        box = carray(state, (1,))[0]
        for c in range(box.channels):
            amplify(carray(inputs[c], frames), carray(outputs[c], frames), 1.0, 1.0, 1.0, box.slew)


def tapped(*frames: int) -> float:
    desk = board(Song("beat", Rig("beat", (Beat(),))))
    for frame in frames:
        desk.act(Tap(), frame)
    return next(iter(desk.engine.stands.values())).values["tempo"]


def test_taps_are_the_tempo():
    assert tapped(24000) == 120.0
    assert tapped(24000, 60000) == pytest.approx(80.0)
    assert tapped(24000, 48000 - 480, 72000 + 480, 96000) == pytest.approx(120.0)  # a foot that is not a metronome
    assert tapped(1, 48001, 72001, 96001, 120001, 144001) == pytest.approx(120.0)  # the first ones are forgotten


def test_after_a_pause_the_count_begins_anew_and_a_tempo_beyond_the_knob_is_its_end():
    assert tapped(24000, 48000, 480000) == 120.0
    assert tapped(24000, 48000, 480000, 516000) == pytest.approx(80.0)
    assert tapped(24000, 24100) == 240.0


def test_mute_and_panic_silence_the_output():
    desk = board()
    play(desk, 4800)
    assert np.abs(play(desk)).max() > 0.1
    desk.act(Mute())
    play(desk, 4800)
    assert not play(desk).any()
    desk.act(Mute())
    play(desk, 4800)
    assert np.abs(play(desk)).max() > 0.1
    desk.act(Panic())
    assert not play(desk).any()  # the very next buffer
    desk.act(Mute(False))
    play(desk, 4800)
    assert np.abs(play(desk)).max() > 0.1


def test_songs_begin_with_their_snapshot():
    desk = board(Song("first", snapped(), "clean"), Song("second", snapped(), "lead"))
    assert stands(desk) == (-6.0, True)
    desk.act(Change("next"))
    assert stands(desk) == (6.0, False) and desk.snapshot == "lead"
    desk.act(Undo())
    assert stands(desk) == (-6.0, True)


def test_a_song_that_begins_with_a_snapshot_that_changes_nothing_leaves_the_undos_alone():
    as_it_is = Rig("plain", (level(),), (Snapshot("as it is", ()),))
    desk = board(*one_song(snapped()), Song("plain", as_it_is, "as it is"))
    desk.act(Turn("level", "level", 3.0))
    desk.act(Change("plain"))
    desk.act(Undo())
    assert desk.engine.plan.rig.name == "snapped" and stands(desk) == (3.0, True)
    desk.act(Undo())
    assert stands(desk) == (0.0, True)


def test_the_neighbours_of_a_song_are_made_ready_beforehand():
    made: list[str] = []
    songs = [Song(name, Rig(name, (level(),))) for name in "abcde"]
    engine = Engine(songs[0].rig, RATE, live=True)
    prepare = engine.prepare

    def watched(rig: Rig) -> Plan:
        made.append(f"{rig.name} {threading.current_thread() is threading.main_thread()}")
        return prepare(rig)

    engine.prepare = watched
    desk = Board(engine, songs, ahead=True)
    for name in ("next", "next", "a"):  # a is not beside c: it is made ready while c plays on
        desk.act(Change(name))
        until(lambda: desk.coming is None)
    assert desk.songs[desk.song].name == "a"
    desk.close()
    assert {"b False", "c False", "a False"} <= set(made)
    assert not any(entry.endswith("True") for entry in made)


def test_a_rig_that_is_not_ready_is_not_waited_for(monkeypatch):
    songs = [Song(name, Rig(name, (level(),))) for name in "abcde"]
    desk = Board(Engine(songs[0].rig, RATE, live=True), songs, ahead=True)
    finish, prepare = threading.Event(), desk.engine.prepare

    def slowly(rig: Rig) -> Plan:
        finish.wait(10.0)
        return prepare(rig)

    monkeypatch.setattr(desk.engine, "prepare", slowly)
    desk.act(Change("c"))
    desk.act(Turn("level", "level", -6.0))  # of the rig that plays
    desk.act(Change("d"))  # instead of c
    assert desk.songs[desk.song].name == "a" and desk.songs[desk.coming].name == "d"
    finish.set()
    until(lambda: desk.coming is None)
    assert desk.songs[desk.song].name == "d"
    desk.act(Undo())
    until(lambda: desk.coming is None)
    assert desk.songs[desk.song].name == "a" and desk.engine.stands["level"].values["level"] == -6.0
    desk.close()


def test_a_song_whose_capture_has_gone_is_told_and_the_last_one_plays_on(tmp_path):
    file = small_capture(tmp_path / "amp.onnx")
    songs = [Song(name, Rig(name, (level(),))) for name in "abcd"] + [Song("gone", Rig("gone", (boxes()["amp"](capture=file),)))]
    desk = Board(Engine(songs[1].rig, RATE, live=True), songs, ahead=True)
    desk.act(Change("c"))
    until(lambda: desk.coming is None)
    file.unlink()
    desk.act(Change("gone"))
    until(lambda: desk.coming is None)
    assert desk.songs[desk.song].name == "c"
    assert "gone cannot be played" in desk.trouble
    desk.close()


def until(true, seconds: float = 120.0) -> None:
    """Wait for another thread, which may have to compile an amp first."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_was_done_is_told_with_the_frame_at_which_it_was_heard():
    desk = board()
    play(desk, 100)
    desk.engine.heard()
    desk.act(Turn("level", "level", 3.0))
    play(desk, 64)
    desk.act(Bypass("eq"), frame=200)
    assert desk.engine.heard() == [Event(100, Turn("level", "level", 3.0))]
    play(desk, 64)
    assert desk.engine.heard() == [Event(200, Bypass("eq", False))]


def test_a_take_played_live_is_its_render_with_the_events_that_were_heard():
    rng = np.random.default_rng(8)
    x = noise(1, 30000, seed=9, peak=0.2)
    songs = (Song("one", snapped(), "clean"), Song("two", Rig("two", (level(-3.0), boxes()["gate"]()))))
    desk = Board(Engine(songs[0].rig, RATE), songs)
    acts = [
        Recall("lead"),
        Turn("eq", "bass", 3.0),
        Bypass("eq"),
        Undo(),
        Change("two"),
        Turn("level", "level", -9.0),
        Change("one"),
    ]
    events, played, at = [], [], 0
    while at < 30000:
        count = min(int(rng.integers(1, 500)), 30000 - at)
        if acts and rng.random() < 0.2:
            desk.act(acts.pop(0))
        played.append(desk.engine.play(x[:, at : at + count]))
        events += desk.engine.heard()
        at += count
    assert not acts
    again = render(songs[0].rig, x, RATE, events, songs=songs)
    assert np.array_equal(np.concatenate(played, axis=1), again)
