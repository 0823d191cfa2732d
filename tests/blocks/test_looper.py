"""The looper: as long as the time between two presses, the same each time round, taken back to the bit, and without a click."""

import itertools

import numpy as np
import pytest

from neuralamp.blocks import boxes
from neuralamp.blocks.looper import EMPTY, FADE_MS, NEXT, OVERDUBBING, PLAYING, RECORDING, STOPPED
from neuralamp.engine import Board, Engine, render
from neuralamp.messages import LOOP_ACTIONS, Event, Loop
from neuralamp.rig import Rig
from neuralamp.setlist import one_song
from tests.sound import cuts, noise, sine

RATE = 48000
FADE = round(FADE_MS * RATE / 1000)

Presses = list[tuple[int, str]]


def looper(**values: float) -> Rig:
    return Rig("loop", (boxes()["looper"](**{"seconds": 2.0} | values),))


def pressed(x: np.ndarray, presses: Presses, cut: list[int] | None = None, **values: float) -> tuple[np.ndarray, Engine]:
    """What comes out, with these presses, in buffers of these lengths; and the engine as it stands then."""
    engine = Engine(looper(**values), RATE, channels=len(x))
    for frame, action in presses:
        engine.press("looper", action, frame)
    borders = np.cumsum([0, *(cut or [x.shape[1]])])
    return np.concatenate([engine.play(x[:, a:b]) for a, b in itertools.pairwise(borders)], axis=1), engine


def quiet_after(x: np.ndarray, frame: int) -> np.ndarray:
    """A guitar that falls silent at a frame: from there on the loop is heard alone."""
    x = x.copy()
    x[:, frame:] = 0.0
    return x


# -- recording -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [FADE, FADE + 1, 4096, 7777])
@pytest.mark.parametrize("buffer", [1, 64, 333, 8192])
def test_the_loop_is_as_long_as_the_time_between_the_presses_to_the_frame(length, buffer):
    x = quiet_after(noise(1, 40000, seed=1), 1234 + length + FADE)
    cut = [buffer] * (40000 // buffer) + [40000 % buffer]
    y, engine = pressed(x, [(1234, "record"), (1234 + length, "play")], cut)
    assert engine.reading("looper")["length"] == length
    begin = 1234 + length + FADE
    assert np.array_equal(y[:, begin + length :], y[:, begin:-length])
    assert not np.array_equal(y[:, begin + length + 1 :], y[:, begin : -length - 1])
    assert engine.reading("looper")["position"] == (40000 - 1234 - length) % length


@pytest.mark.parametrize("channels", [1, 2])
def test_it_plays_what_was_played_bit_for_bit_but_for_its_seam(channels):
    x = quiet_after(noise(channels, 40000, seed=2), 9000 + FADE)
    y, _ = pressed(x, [(1000, "record"), (9000, "play")])
    assert np.array_equal(y[:, :9000], x[:, :9000])
    for turn in range(1, 3):
        assert np.array_equal(y[:, 9000 + turn * 8000 + FADE : 17000 + turn * 8000], x[:, 1000 + FADE : 9000])


def test_the_seam_is_what_came_after_the_press_fading_into_the_beginning():
    x = quiet_after(noise(1, 30000, seed=3), 9000 + FADE)
    y, _ = pressed(x, [(1000, "record"), (9000, "play")])
    u = np.arange(FADE) / FADE
    rise = 3.0 * u**2 - 2.0 * u**3
    assert np.allclose(y[0, 17000 : 17000 + FADE], rise * x[0, 1000 : 1000 + FADE] + (1.0 - rise) * x[0, 9000 : 9000 + FADE])
    # the first time round the guitar itself goes on: the beginning is heard beside it
    assert np.allclose(y[0, 9000 : 9000 + FADE], x[0, 9000 : 9000 + FADE] + rise * x[0, 1000 : 1000 + FADE])


def test_a_loop_that_fills_its_memory_closes_there():
    x = quiet_after(noise(1, 4 * RATE, seed=4), 500 + RATE + FADE)
    y, engine = pressed(x, [(500, "record"), (500 + RATE + 7000, "stop")], seconds=1.0)
    assert engine.reading("looper") == {"state": STOPPED, "position": 0, "length": RATE}
    assert np.array_equal(y[0, 500 + RATE + FADE : 500 + RATE + 7000], x[0, 500 + FADE : 500 + 7000])


def test_a_foot_that_trembles_does_not_end_the_recording():
    presses = [(1000, "record"), (1000 + FADE - 1, "record"), (5000, "record")]
    _, engine = pressed(noise(1, 6000, seed=5), presses)
    assert engine.reading("looper") == {"state": PLAYING, "position": 1000, "length": 4000}


def test_the_longest_loop_is_a_minute_where_none_is_given():
    box = boxes()["looper"]()
    assert box.prepare(RATE, 2, 64).node.scratch["new"].shape == (2, 60 * RATE)


# -- overdubs and what takes them back -------------------------------------------------------------------------------------

BASE: Presses = [(1000, "record"), (5000, "play")]


def test_an_overdub_adds_and_play_ends_it():
    x = quiet_after(noise(1, 40000, seed=6, peak=0.4), 11000 + FADE)
    y, _ = pressed(x, [*BASE, (9500, "overdub"), (11000, "play")])
    base, _ = pressed(x, BASE)
    fade = np.zeros(4000)
    fade[500 : 500 + FADE] = (np.arange(FADE) + 1) / FADE  # 9500 is frame 500 of the loop
    fade[500 + FADE : 2000] = 1.0
    fade[2000 : 2000 + FADE] = 1.0 - (np.arange(FADE) + 1) / FADE
    share = 3.0 * fade**2 - 2.0 * fade**3
    assert np.allclose(y[0, 17000:21000], base[0, 17000:21000] + share * x[0, 9000:13000], atol=1e-6)
    assert np.array_equal(y[0, 17000:17500], base[0, 17000:17500])  # where nothing was added, not a bit is changed
    assert np.array_equal(y[0, 17000 + 2000 + FADE : 21000], base[0, 17000 + 2000 + FADE : 21000])


@pytest.mark.parametrize("end", [9600, 11000, 13000, 16500, 26100])
def test_undo_brings_back_the_loop_bit_for_bit_and_a_second_one_the_overdub(end):
    """Overdubs of 100 frames, half a round, almost a round, and several rounds."""
    x = quiet_after(noise(1, 80000, seed=7, peak=0.4), end + FADE)
    base, _ = pressed(x, BASE)
    once, _ = pressed(x, [*BASE, (9500, "overdub"), (end, "play")])
    y, _ = pressed(x, [*BASE, (9500, "overdub"), (end, "play"), (40000, "undo"), (60000, "undo")])
    assert np.array_equal(y[:, :40000], once[:, :40000])
    assert not np.array_equal(once[:, 41000:60000], base[:, 41000:60000])
    assert np.array_equal(y[:, 40000 + FADE : 60000], base[:, 40000 + FADE : 60000])
    assert np.array_equal(y[:, 60000 + FADE :], once[:, 60000 + FADE :])


def test_undo_takes_the_last_overdub_only_and_ends_one_that_runs():
    x = quiet_after(noise(1, 60000, seed=8, peak=0.3), 20000)
    first = [*BASE, (6000, "overdub"), (8000, "play")]
    one, _ = pressed(x, first)
    y, engine = pressed(x, [*first, (11000, "overdub"), (17123, "undo")])
    assert engine.reading("looper")["state"] == PLAYING
    assert np.array_equal(y[:, 20000:], one[:, 20000:])


def test_decay_makes_what_was_there_softer_and_level_the_whole_loop():
    x = quiet_after(noise(1, 60000, seed=9, peak=0.3), 5000 + FADE)
    base, _ = pressed(x, BASE)
    y, _ = pressed(x, [*BASE, (9000, "overdub"), (25000, "play")], decay=30.0, level=-6.0)
    # four rounds under an overdub of nothing; the frames of the punch in and out are left out
    assert np.allclose(y[0, 29500:32500], 0.7**4 * 10.0 ** (-6.0 / 20.0) * base[0, 29500:32500], rtol=1e-5)
    y, _ = pressed(x, [*BASE, (9000, "overdub"), (25000, "play")])
    assert np.array_equal(y[:, 30000:], base[:, 30000:])


def test_a_press_moves_no_more_of_the_loop_than_the_buffer_and_a_fade():
    """Undo of a long overdub, and the next one, in a loop of a minute: not a minute is copied in one buffer, nor ever."""
    engine = Engine(looper(seconds=60.0), RATE)
    scratch = engine.seat("looper").node.scratch

    def changed(action: str, frames: int) -> int:
        before = {name: scratch[name].copy() for name in ("new", "old", "layer")}
        engine.press("looper", action)
        engine.play(noise(1, frames, seed=10))
        return max(np.count_nonzero(scratch[name] != kept) for name, kept in before.items())

    assert changed("record", 50 * RATE) == 50 * RATE - 1  # the fade begins at zero
    assert changed("overdub", 50 * RATE) == 50 * RATE
    for action in ("undo", "overdub", "undo", "undo", "stop", "play", "overdub", "clear"):
        assert changed(action, 64) <= 64, action


# -- the whole, against one that copies ------------------------------------------------------------------------------------


class Copier:
    """A looper as one would write it without an audio thread: whole loops are copied, and everything is a list of floats."""

    def __init__(self, size: int):
        self.size, self.state, self.loop, self.other, self.recorded = size, EMPTY, np.zeros(0), None, []
        self.position = self.heard = self.dub = self.at = self.seam = 0
        self.leaving: list[np.ndarray] = []
        self.overdub_is_heard = True

    def press(self, action: str) -> None:
        before, after = self.state, int(NEXT[self.state, LOOP_ACTIONS.index(action)])
        sounded, sounds = before in (PLAYING, OVERDUBBING), after in (PLAYING, OVERDUBBING)
        if before == RECORDING and after not in (RECORDING, EMPTY):
            if len(self.recorded) < FADE:
                return
            self.loop, self.other, self.recorded = np.array(self.recorded), None, []
            self.position, self.heard, self.seam, self.dub, sounded = 0, FADE, FADE, 0, sounds
        undone = action == "undo" and self.other is not None and after >= PLAYING
        if sounded and (undone or not sounds):
            fall = 1.0 - rise(np.arange(FADE) / FADE)
            self.leaving.append(rise(self.heard / FADE) * fall * self.loop[(self.position + np.arange(FADE)) % self.loop.size])
            self.heard = 0
        if undone:
            self.loop, self.other, self.overdub_is_heard = self.other, self.loop, not self.overdub_is_heard
        if sounds != sounded:
            self.position = self.heard = 0
        if after == EMPTY:
            self.loop, self.other, self.recorded, self.seam, self.dub = np.zeros(0), None, [], 0, 0
        self.state = after

    def frame(self, x: float) -> float:
        sounding, y = self.state in (PLAYING, OVERDUBBING), x
        if sounding:
            y += rise(self.heard / FADE) * self.loop[self.position]
        y += sum(left[0] for left in self.leaving)
        self.leaving = [left[1:] for left in self.leaving if left.size > 1]
        if self.seam:
            fall = 1.0 - rise((FADE - self.seam) / FADE)
            for each in {id(kept): kept for kept in (self.loop, self.other) if kept is not None}.values():
                each[FADE - self.seam] += fall * x
            self.seam -= 1
        if self.state == OVERDUBBING and self.dub == 0:
            self.other, self.at, self.overdub_is_heard = self.loop.copy(), self.position, True
        if self.state == OVERDUBBING and self.at == self.position and self.overdub_is_heard:
            self.dub = min(self.dub + 1, FADE)
        else:
            self.dub = max(self.dub - 1, 0)
        if self.dub:
            (self.loop if self.overdub_is_heard else self.other)[self.at] += rise(self.dub / FADE) * x
            self.at = (self.at + 1) % self.loop.size
        if sounding:
            self.position, self.heard = (self.position + 1) % self.loop.size, min(self.heard + 1, FADE)
        elif self.state == RECORDING:
            self.recorded.append(rise(min(len(self.recorded), FADE) / FADE) * x)
            if len(self.recorded) == self.size:
                self.press("play")
        return y


def rise(u):
    return 3.0 * u**2 - 2.0 * u**3


@pytest.mark.parametrize("seed", range(12))
def test_any_dance_on_the_pedal_is_what_a_looper_that_copies_whole_loops_plays(seed):
    rng = np.random.default_rng(seed)
    frames, x = 40000, noise(1, 40000, seed=100 + seed, peak=0.1)
    at, presses = 0, [(100, "record"), (int(rng.integers(400, 6000)), "play")]
    at = presses[-1][0]
    while at < frames:  # now and then two at once, or within a fade; clear is rare
        at += int(rng.choice([0, rng.integers(1, FADE), rng.integers(1, 6000)], p=[0.15, 0.25, 0.6]))
        chances = [0.2, 0.25, 0.2, 0.15, 0.17, 0.03]
        presses.append((at, str(rng.choice(LOOP_ACTIONS, p=chances))))
    # an overdub taken back while it still fades out, and the next one before it has
    presses += [(20000, "stop"), (20000, "play"), (20001, "overdub"), (21000, "undo"), (21100, "overdub"), (21900, "undo")]
    presses.sort(key=lambda press: press[0])
    y, engine = pressed(x, presses, seconds=1.0)
    copier, expected, waiting = Copier(RATE), [], list(presses)
    for n in range(frames):
        while waiting and waiting[0][0] == n:
            copier.press(waiting.pop(0)[1])
        expected.append(copier.frame(float(x[0, n])))
    # float32 memory: each pass over a frame rounds once
    assert np.abs(y[0] - np.array(expected)).max() < 1e-5
    assert engine.reading("looper")["state"] == copier.state
    assert np.array_equal(pressed(x, presses, cuts(frames, rng), seconds=1.0)[0], y)


# -- presses ---------------------------------------------------------------------------------------------------------------


def test_presses_that_make_no_sense_do_nothing():
    x = noise(1, 20000, seed=11)
    y, engine = pressed(x, [(500 * (k + 1), action) for k, action in enumerate(("overdub", "play", "stop", "undo", "clear"))])
    assert np.array_equal(y, x)
    assert engine.reading("looper") == {"state": EMPTY, "position": 0, "length": 0}
    plain, _ = pressed(x, BASE)
    odd, _ = pressed(x, [(1000, "record"), (2000, "undo"), (5000, "play"), (6000, "play"), (7000, "undo")])
    assert np.array_equal(odd, plain)


def test_one_switch_is_enough():
    states = []
    for count in range(1, 6):
        _, engine = pressed(noise(1, 30000, seed=12), [(5000 * (k + 1), "record") for k in range(count)])
        states.append(engine.reading("looper")["state"])
    assert states == [RECORDING, PLAYING, OVERDUBBING, PLAYING, OVERDUBBING]


def test_after_stop_it_plays_from_the_beginning():
    x = quiet_after(noise(1, 40000, seed=13), 5000 + FADE)
    y, engine = pressed(x, [*BASE, (15600, "stop"), (20000, "play")])
    assert not y[:, 15600 + FADE : 20000].any()
    assert np.array_equal(y[0, 20000 + FADE : 24000], x[0, 1000 + FADE : 5000])
    assert engine.reading("looper") == {"state": PLAYING, "position": 0, "length": 4000}


def test_clear_empties_it_and_the_next_recording_is_a_new_one():
    x = noise(1, 40000, seed=14)
    x[:, 9000:10000] = x[:, 16000:] = 0.0
    y, engine = pressed(x, [*BASE, (9000, "clear"), (9000, "record"), (15000, "play")])
    assert not y[:, 9000 + FADE : 10000].any()
    assert np.array_equal(y[0, 21000 + FADE : 27000], x[0, 9000 + FADE : 15000])
    assert engine.reading("looper")["length"] == 6000


def test_every_press_between_two_buffers_is_heard():
    """Overdub taken back, and stopped, within one buffer of a device; then twelve at once."""
    engine = Engine(looper(), RATE)
    x = noise(1, 4000, seed=15)

    def press(*actions: str) -> float:
        for action in actions:
            engine.press("looper", action)
        engine.play(x)
        return engine.reading("looper")["state"]

    assert [press("record"), press("overdub"), press("undo", "stop")] == [RECORDING, OVERDUBBING, STOPPED]
    engine.press("looper", "play")
    y = engine.play(np.zeros_like(x))
    assert np.array_equal(y[:, FADE:], x[:, FADE:])  # the recording, without the overdub
    assert press(*["stop", "play"] * 6) == PLAYING
    assert press(*["stop", "play"] * 6, "stop") == STOPPED


def test_turning_a_knob_presses_nothing():
    engine = Engine(looper(), RATE)
    engine.press("looper", "record")
    engine.turn("looper", "level", -6.0)
    engine.play(noise(1, 1000, seed=16))
    engine.turn("looper", "decay", 50.0)
    engine.play(noise(1, 1000, seed=16))
    assert engine.reading("looper") == {"state": RECORDING, "position": 0, "length": 2000}


def test_panic_forgets_the_loop_and_presses_nothing_again():
    engine = Engine(looper(), RATE)
    x = noise(1, 4000, seed=17)
    for action in ("record", "play", "overdub"):
        engine.press("looper", action)
        engine.play(x)
    engine.panic()
    assert np.array_equal(engine.play(x), x)
    assert engine.reading("looper") == {"state": EMPTY, "position": 0, "length": 0}
    engine.press("looper", "record")
    engine.play(x)
    assert engine.reading("looper") == {"state": RECORDING, "position": 0, "length": 4000}


def test_bypassed_it_is_not_heard_and_comes_back_in_step():
    x = quiet_after(noise(1, 60000, seed=18), 5000 + FADE)
    engine = Engine(looper(), RATE)
    for frame, action in BASE:
        engine.press("looper", action, frame)
    engine.bypass("looper", True, 15000)
    engine.bypass("looper", False, 33333)
    y = engine.play(x)
    assert not y[:, 16000:33333].any()
    assert np.array_equal(y[:, 35000:], pressed(x, BASE)[0][:, 35000:])


def test_the_board_plays_it_and_a_file_of_events_does_the_same():
    x = noise(1, 30000, seed=19)
    desk = Board(Engine(looper(), RATE), one_song(looper()))
    for frame, action in [*BASE, (7000, "overdub"), (9000, "undo")]:
        desk.act(Loop(action), frame)
    y = desk.engine.play(x)
    heard = desk.engine.heard()
    assert heard == [Event(frame, Loop(action)) for frame, action in [*BASE, (7000, "overdub"), (9000, "undo")]]
    assert np.array_equal(render(looper(), x, RATE, heard), y)


# -- clicks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
def test_the_guitar_passes_bit_for_bit_where_no_loop_is_heard(channels):
    x = noise(channels, 30000, seed=20)
    y, _ = pressed(x, [(1000, "record"), (5000, "stop")])
    assert np.array_equal(y, x)
    silent = np.zeros_like(x)
    silent[:, 6000:] = x[:, 6000:]
    y, _ = pressed(silent, [(1000, "record"), (5000, "play")])
    assert np.array_equal(y, silent)


@pytest.mark.parametrize(
    "presses",
    [
        [],
        [(12345, "overdub"), (14567, "play")],
        [(15003, "stop"), (20007, "play"), (26011, "stop")],
        [(12345, "overdub"), (14567, "play"), (30001, "undo"), (40009, "undo")],
    ],
    ids=["seam", "punch", "stop", "undo"],
)
def test_no_seam_and_no_press_clicks(presses):
    """A low E that does not fit the loop: what stands above 5 kHz, against the note. Cut hard, the seams alone are -39 dB."""
    x = sine(82.4, 60000, RATE, peak=0.25)
    hard = x[0, 9400:58000] + np.resize(x[0, 1147:9400], 48600)
    assert above_5_khz_db(hard) > -45.0
    y, _ = pressed(x, [(1147, "record"), (9400, "play"), *presses])
    assert above_5_khz_db(y[0, 9400:58000]) < -105.0  # -114 to -120 dB measured


def above_5_khz_db(y: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(y.astype(np.float64) * np.hanning(y.size))) ** 2
    return 10.0 * np.log10(power[round(5000.0 / RATE * y.size) :].sum() / power.sum())
