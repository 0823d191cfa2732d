"""MIDI maps: what a foot does becomes what a board is asked to do; what a map gets wrong is told in one line."""

import itertools
import math
from pathlib import Path

import mido
import pytest

from neuralamp.block import Knob
from neuralamp.blocks import boxes
from neuralamp.engine import Board, Engine
from neuralamp.errors import KnobError, MidiError
from neuralamp.live.midi import MidiInput, Row, Signal, find_map, maps, read_map, write_row
from neuralamp.live.midi.signal import signal_of
from neuralamp.messages import Bypass, Change, Loop, Mute, Recall, Tap, Turn
from neuralamp.rig import Rig, Snapshot
from neuralamp.setlist import Song

POSITION = Knob(100.0, 0.0, 100.0, "%", "how far the pedal is down")
CORNER = Knob(800.0, 100.0, 6400.0, "Hz", "a corner", taper="log")


def cc(value: int, number: int = 11, channel: int = 1) -> Signal:
    return Signal(channel, "cc", number, value)


def said(row: Row, *signals: Signal, knob: Knob = POSITION) -> list:
    """What a row makes of signals, nothings left out."""
    row.check()
    return [message for signal in signals if (message := row.message(signal, lambda box, name: knob))]


def swept(values: list[int], knob: Knob = POSITION, **fields) -> list[float]:
    row = Row("cc 11", "turn volume.position", **fields)
    return [message.value for message in said(row, *map(cc, values), knob=knob)]


# -- pedals ----------------------------------------------------------------------------------------------------------------


def test_a_pedal_reaches_both_ends_of_its_knob_and_the_middle_between():
    assert swept([0, 127]) == [0.0, 100.0]
    assert swept([64])[0] == pytest.approx(100.0 * 64 / 127)
    assert swept([0, 127], CORNER) == [100.0, 6400.0]


def test_a_pedal_goes_the_way_its_range_says_also_backwards():
    assert swept([0, 127], range=(20.0, 80.0)) == [20.0, 80.0]
    assert swept([0, 127], range=(80.0, 20.0)) == [80.0, 20.0]
    assert swept([32, 96], range=(80.0, 20.0)) == pytest.approx([80.0 - 60.0 * 32 / 127, 80.0 - 60.0 * 96 / 127])


def test_curves_are_the_knobs_own_or_what_is_said():
    u = 40 / 127
    assert swept([40], CORNER)[0] == pytest.approx(100.0 * 64.0**u)  # a log knob: six octaves, evenly
    assert swept([40], CORNER, curve="linear")[0] == pytest.approx(100.0 + 6300.0 * u)
    assert swept([40], curve="square")[0] == pytest.approx(100.0 * u * u)
    assert swept([40], curve="log", range=(1.0, 100.0))[0] == pytest.approx(100.0**u)
    steps = swept(list(range(128)), CORNER)
    assert all(b > a for a, b in itertools.pairwise(steps))
    with pytest.raises(KnobError, match=r"a log curve needs a range over 0; turn volume\.position goes from 0 to 100"):
        swept([40], curve="log")


def test_a_pedal_that_does_not_reach_its_ends_is_told_so_and_does():
    assert swept([0, 5, 120, 127], ends=(5, 120)) == [0.0, 0.0, 100.0, 100.0]
    assert swept([5, 120], ends=(120, 5)) == [100.0, 0.0]


@pytest.mark.parametrize("curve", ["linear", "log", "square"])
def test_no_step_of_a_pedal_leaves_the_knobs_bounds(curve):
    """Whatever the rounding: a value one unit over the knob's end would be refused."""
    for low, high in ((0.1, 0.9), (0.3, 0.9), (0.2, 1.7), (1.1, 12.3), (0.2, 1.2), (20.0, 2000.1)):
        knob = Knob(low, low, high, "s", "a time")
        for value in swept([0, 64, 127], knob, curve=curve) + swept([0, 64, 127], knob, curve=curve, range=(high, low)):
            assert knob.check("time", value) == value


def test_the_bender_has_16384_steps_and_pressure_128():
    bend = Row("bend", "turn wah.position")
    values = [message.value for message in said(bend, *(Signal(1, "bend", 0, value) for value in (0, 8192, 16383)))]
    assert values == pytest.approx([0.0, 100.0 * 8192 / 16383, 100.0])
    assert said(Row("touch", "turn wah.position"), Signal(1, "touch", 0, 127)) == [Turn("wah", "position", 100.0)]


# -- switches --------------------------------------------------------------------------------------------------------------


def test_a_switch_is_heard_when_it_is_pressed_and_not_when_it_is_let_go():
    row = Row("cc 80", "bypass delay")
    signals = [cc(value, 80) for value in (127, 0, 64, 63)]
    assert said(row, *signals) == [Bypass("delay")] * 2
    assert said(Row("cc 80", "tap", when="release"), *signals) == [Tap()] * 2
    assert said(Row("cc 80", "loop record", when="latch"), *signals) == [Loop("record")] * 4


def test_a_held_switch_does_the_opposite_when_it_is_let_go():
    down, up = cc(127, 80), cc(0, 80)
    assert said(Row("cc 80", "bypass delay", when="hold"), down, up) == [Bypass("delay", True), Bypass("delay", False)]
    assert said(Row("cc 80", "bypass delay off", when="hold"), down, up) == [Bypass("delay", False), Bypass("delay", True)]
    assert said(Row("cc 80", "mute", when="hold"), down, up) == [Mute(True), Mute(False)]


def test_the_softest_note_is_a_press_and_its_end_is_none():
    row = Row("note 60", "recall next")
    heard = [mido.Message("note_on", note=60, velocity=1), mido.Message("note_on", note=60, velocity=0)]
    heard.append(mido.Message("note_off", note=60, velocity=64))
    assert said(row, *map(signal_of, heard)) == [Recall("next")]


def test_programs_call_by_their_number():
    programs = [Signal(1, "program", number, 127) for number in (0, 7)]
    assert said(Row("program 7", "change ballad"), *programs) == [Change("ballad")]
    assert said(Row("program", "recall"), *programs) == [Recall("1"), Recall("8")]
    assert said(Row("program", "change"), *programs) == [Change("1"), Change("8")]
    assert said(Row("program", "tap"), *programs) == [Tap()] * 2


def test_a_channel_is_heard_alone_where_it_is_given():
    signals = [cc(127, channel=channel) for channel in (1, 2, 16)]
    assert len(said(Row("cc 11", "tap"), *signals)) == 3
    assert len(said(Row("cc 11", "tap", channel=16), *signals)) == 1
    assert not said(Row("cc 12", "tap"), *signals)
    assert not said(Row("note 11", "tap"), *signals)


def test_every_message_of_a_pedal_is_a_signal_and_the_clock_is_none():
    assert signal_of(mido.Message("control_change", channel=15, control=11, value=3)) == Signal(16, "cc", 11, 3)
    assert signal_of(mido.Message("program_change", program=5)) == Signal(1, "program", 5, 127)
    assert signal_of(mido.Message("pitchwheel", pitch=-8192)) == Signal(1, "bend", 0, 0)
    assert signal_of(mido.Message("pitchwheel", pitch=8191)) == Signal(1, "bend", 0, 16383)
    assert signal_of(mido.Message("aftertouch", value=9)) == Signal(1, "touch", 0, 9)
    assert signal_of(mido.Message("clock")) is None
    assert signal_of(mido.Message("polytouch", note=60, value=9)) is None


# -- files -----------------------------------------------------------------------------------------------------------------


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", maps())
def test_a_shipped_map_is_a_map(name):
    assert read_map(find_map(name))


def test_the_shipped_maps_do_what_they_say():
    assert {"expression", "foot-controller"} <= set(maps())
    rows = read_map(find_map("foot-controller"))
    assert [row.message(Signal(3, "program", k, 127), lambda box, name: POSITION) for k, row in enumerate(rows)] == [
        Recall(str(k + 1)) for k in range(8)
    ]
    (volume, *_) = read_map(find_map("expression"))
    assert said(volume, cc(127)) == [Turn("volume", "position", 100.0)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("on = 'cc 128'\ndo = 'tap'", "row 1: on = 'cc 128' is not possible; give one of: cc 0, note 0, program 0 (to 127)"),
        ("on = 'knob 1'\ndo = 'tap'", "row 1: on = 'knob 1' is not possible"),
        ("on = ''\ndo = 'tap'", "row 1: on and do must say something"),
        ("on = 'cc 1'\ndo = 'fly'", "row 1: 'fly' says nothing that can be done; it begins with one of: turn, bypass"),
        ("on = 'cc 1'\ndo = 'loop backwards'", "row 1: 'loop backwards' is not possible; a looper can: record"),
        ("on = 'cc 1'\ndo = 'recall'", "row 1: 'recall' lacks a name"),
        ("on = 'cc 1'", "row 1: do: Field required"),
        ("on = 'cc 1'\ndo = 'tap'\nwhere = 1", "row 1: where: Unexpected keyword argument; a row has: on, do, channel, when"),
        ("on = 'cc 1'\ndo = 'tap'\nchannel = 17", "row 1: channel = 17 is not possible; give 1 to 16"),
        ("on = 'cc 1'\ndo = 'tap'\nwhen = 'never'", "row 1: when: Input should be 'press', 'release', 'latch' or 'hold'"),
        ("on = 'cc 1'\ndo = 'tap'\nwhen = 'hold'", "row 1: when = 'hold' is for bypass, mute and record"),
        ("on = 'cc 1'\ndo = 'tap'\ncurve = 'log'", "row 1: curve is for a pedal that turns a knob"),
        ("on = 'cc 1'\ndo = 'turn a.b'\nwhen = 'hold'", "row 1: 'turn a.b' follows the pedal all the way; leave out when"),
        ("on = 'cc 1'\ndo = 'turn a.b'\nends = [5, 5]", "row 1: ends = [5, 5] are not possible"),
        ("on = 'cc 1'\ndo = 'turn a.b'\ncurve = 'log'\nrange = [0, 9]", "row 1: range = [0.0, 9.0] has no log curve"),
        ("on = 'cc 1'\ndo = 'turn a.b'\nrange = [1]", "row 1: range.1: Field required"),
        ("on = 'program 1'\ndo = 'turn a.b'", "row 1: a program has no value that 'turn a.b' could follow"),
    ],
)
def test_a_wrong_row_is_told_in_one_line_with_its_file(row, says, tmp_path):
    path = write(tmp_path, f"[[map]]\n{row}\n")
    with pytest.raises(MidiError) as told:
        read_map(path)
    assert str(told.value).startswith(f"{path}, {says}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows"), ("map = 3", "has no rows"), ("[[rows]]\non = 'cc 1'", "rows is unknown here"),
        ("[[map]\n", "is not TOML"), ("map = [1]", "row 1: the row: "), ("[[map]]\n" * 501, "has 501 rows"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_map_is_told(text, says, tmp_path):
    with pytest.raises(MidiError, match=says):
        read_map(write(tmp_path, text))


def test_a_map_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(MidiError, match="neither a file nor a shipped MIDI map; shipped are: expression, foot-controller"):
        find_map("absent")


def test_learned_rows_are_written_behind_those_that_are_there_once(tmp_path):
    path = tmp_path / "my.toml"
    rows = [
        Row("cc 11", "turn volume.position", 2, range=(80.0, 20.0), curve="square", ends=(3, 125)),
        Row("program 3", 'change "quoted" \\ näme', when="release"),
    ]
    assert write_row(path, rows[0])
    path.write_text("# mine\n" + path.read_text())
    assert write_row(path, rows[1])
    assert read_map(path) == tuple(rows)
    before = path.read_text()
    assert before.startswith("# mine\n")
    assert not write_row(path, rows[0])
    assert path.read_text() == before
    assert [file.name for file in tmp_path.iterdir()] == ["my.toml"]


def test_nothing_is_written_into_a_file_that_is_no_map(tmp_path):
    path = write(tmp_path, "not a map")
    with pytest.raises(MidiError, match="is not TOML"):
        write_row(path, Row("cc 1", "tap"))
    assert path.read_text() == "not a map"


# -- a board ---------------------------------------------------------------------------------------------------------------


def board() -> Board:
    chain = (boxes()["volume"](), boxes()["level"](), boxes()["looper"](seconds=1.0))
    snapshots = tuple(Snapshot(name, (Turn("level", "level", db),)) for name, db in (("clean", -6.0), ("lead", 6.0)))
    songs = tuple(Song(name, Rig(name, chain, snapshots)) for name in ("one", "two"))
    return Board(Engine(songs[0].rig, 48000), songs)


def test_a_board_is_played_by_its_pedals():
    desk, told = board(), []
    rows = [
        Row("cc 11", "turn volume.position"), Row("program", "recall"), Row("cc 80", "change 2"), Row("cc 81", "loop record"),
    ]  # fmt: skip
    pedals = MidiInput(desk, rows, tell=told.append)
    pedals.hear(cc(0))
    assert desk.engine.stands["volume"].values["position"] == 0.0
    pedals.hear(Signal(1, "program", 1, 127))
    assert (desk.snapshot, desk.engine.stands["level"].values["level"]) == ("lead", 6.0)
    pedals.hear(cc(127, 81))
    assert desk.engine.stands["looper"].presses == 1
    pedals.hear(cc(127, 80))
    assert desk.engine.plan.rig.name == "two"
    assert not told


def test_what_this_rig_does_not_have_is_told_once_and_the_rest_is_done():
    desk, told = board(), []
    rows = [
        Row("cc 11", "turn wah.position"),
        Row("cc 11", "turn volume.tone"),
        Row("cc 11", "bypass wah"),
        Row("cc 11", "recall 9"),
    ]
    rows += [Row("cc 11", "turn volume.position", range=(0.0, 200.0)), Row("cc 11", "turn level.level")]
    pedals = MidiInput(desk, rows, tell=told.append)
    for _ in range(5):
        pedals.hear(cc(127))
    assert [line.partition(";")[0] for line in told] == [
        "cc 11: the rig one has no wah",
        "cc 11: volume has no knob tone",
        "cc 11: there is no snapshot '9'",
        "cc 11: position = 200.0 is not possible",
    ]
    assert desk.engine.stands["level"].values["level"] == 24.0


def test_a_broken_range_is_told_and_no_traceback():
    desk, told = board(), []
    for end in (math.inf, math.nan):
        MidiInput(desk, [Row("cc 11", "turn volume.position", range=(0.0, end))], tell=told.append).hear(cc(64))
    assert len(told) == 2
