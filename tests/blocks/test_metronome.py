"""The metronome: its beats fall where they should, for as long as anyone plays; the guitar beside them is left alone."""

import itertools

import numpy as np
import pytest

from neuralamp.blocks import boxes
from neuralamp.blocks.metronome import CLICK_MS, FIRST_HZ, OTHER_HZ
from neuralamp.engine import Board, Engine
from neuralamp.messages import Tap
from neuralamp.rig import Rig
from neuralamp.setlist import one_song
from tests.sound import cuts, noise

RATE = 48000
CLICK = round(CLICK_MS * RATE / 1000)


def metronome(**values: float) -> Rig:
    return Rig("metronome", (boxes()["metronome"](**values),))


def engine(rate: float = RATE, channels: int = 1, **values: float) -> Engine:
    return Engine(metronome(**values), rate, channels=channels, max_frames=1 << 20)


def silence(frames: int) -> np.ndarray:
    return np.zeros((1, frames), np.float32)


def beats_in(y: np.ndarray) -> np.ndarray:
    """The first frame of every click."""
    loud = np.flatnonzero(y[0])
    return loud[np.diff(loud, prepend=-RATE) > 1000]


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("tempo", [40.0, 97.3, 120.0, 133.7, 300.0])
def test_every_beat_is_within_half_a_frame_of_where_it_is_due(tempo, rate):
    beats = beats_in(engine(rate, tempo=tempo).play(silence(60 * rate)))
    due = np.arange(beats.size) * 60.0 * rate / tempo
    assert beats.size == np.ceil(tempo - 1e-9)
    assert np.abs(beats - due).max() <= 0.5 + 1e-6


def test_after_ten_minutes_it_has_not_drifted():
    """At 133.7 a minute a period is 21540.76 frames: one that was rounded would be 320 frames off at the end."""
    player, loud = engine(tempo=133.7), []
    for minute in range(10):
        loud.append(minute * 60 * RATE + np.flatnonzero(player.play(silence(60 * RATE))[0]))
    frames = np.concatenate(loud)
    beats = frames[np.diff(frames, prepend=-RATE) > 1000]
    assert beats.size == 1337
    assert np.abs(beats - np.arange(1337) * 60.0 * RATE / 133.7).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("beats", [1, 3, 4, 7])
def test_the_first_beat_of_a_bar_is_higher(beats):
    y = engine(tempo=240.0, beats=beats).play(silence(5 * RATE))
    heard = [pitch_hz(y[0, beat : beat + CLICK]) for beat in beats_in(y)]
    expected = [FIRST_HZ if k % beats == 0 else OTHER_HZ for k in range(len(heard))]
    assert heard == pytest.approx(expected, rel=0.03)  # a click of 60 ms has no sharper pitch
    four = engine(tempo=240.0, beats=4).play(silence(RATE))
    assert np.array_equal(engine(tempo=240.0).play(silence(RATE)), four)


def pitch_hz(click: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(click, RATE))))


def test_a_new_tempo_holds_from_the_next_beat_on():
    player = engine(tempo=120.0)
    player.turn("metronome", "tempo", 90.0, 30000)
    player.turn("metronome", "tempo", 133.7, 100000)
    beats = beats_in(player.play(silence(5 * RATE)))
    period = 60.0 * RATE / 133.7
    expected = [0, 24000, 48000, 80000, 112000, *np.round(112000 + period * np.arange(1, 6)).astype(int)]
    assert beats.tolist() == expected


def test_a_change_of_tempo_begins_where_its_beat_was_due_not_where_it_fell():
    player, old, new = engine(tempo=133.7), 60.0 * RATE / 133.7, 60.0 * RATE / 97.3
    player.turn("metronome", "tempo", 97.3, 100000)
    beats = beats_in(player.play(silence(20 * RATE)))
    due = np.append(np.arange(5) * old, 5 * old + np.arange(beats.size - 5) * new)
    assert np.abs(beats - due).max() <= 0.5 + 1e-6


def test_taps_turn_its_tempo():
    desk = Board(engine(), one_song(metronome()))
    for frame in (1, 32001, 64001):
        desk.act(Tap(), frame)
    assert np.diff(beats_in(desk.engine.play(silence(6 * RATE))))[-3:].tolist() == [32000] * 3


def test_run_begins_with_the_first_beat_at_its_frame_and_ends_without_another():
    player = engine(tempo=100.0, run=0.0)
    player.turn("metronome", "run", 1.0, 12345)
    player.turn("metronome", "run", 0.0, 12345 + 3 * 28800 - 1)
    player.turn("metronome", "run", 1.0, 150000)
    y = player.play(silence(200000))
    assert beats_in(y).tolist() == [12345, 12345 + 28800, 12345 + 2 * 28800, 150000, 178800]
    assert pitch_hz(y[0, 150000 : 150000 + CLICK]) == pytest.approx(FIRST_HZ, rel=0.03)


def test_bypassed_it_counts_on():
    player, plain = engine(), engine()
    player.bypass("metronome", True, 30000)
    player.bypass("metronome", False, 100000)
    y, expected = player.play(silence(4 * RATE)), plain.play(silence(4 * RATE))
    assert not y[:, 32000:100000].any()
    assert np.array_equal(y[:, 102000:], expected[:, 102000:])


@pytest.mark.parametrize("level_db", [-60.0, -18.0, 0.0])
def test_the_click_is_as_loud_as_it_says(level_db):
    y = engine(level=level_db).play(silence(RATE))
    assert 20.0 * np.log10(np.abs(y).max()) == pytest.approx(level_db, abs=1e-4)


def test_the_guitar_passes_bit_for_bit_between_the_clicks_and_beside_them():
    x = noise(2, 2 * RATE, seed=1, peak=0.5)
    y, click = engine(channels=2).play(x), engine().play(silence(2 * RATE))
    quiet = click[0] == 0.0
    assert quiet.mean() > 0.8
    assert np.array_equal(y[:, quiet], x[:, quiet])
    assert np.array_equal(y, x + click)


def test_a_turn_within_any_buffer_is_heard_at_its_frame():
    rng = np.random.default_rng(2)
    turns = [(int(frame), float(rng.uniform(40.0, 300.0))) for frame in np.sort(rng.integers(1, 4 * RATE, 12))]

    def played(cut: list[int]) -> np.ndarray:
        player = engine()
        for frame, tempo in turns:
            player.turn("metronome", "tempo", tempo, frame)
        borders = np.cumsum([0, *cut])
        return np.concatenate([player.play(silence(b - a)) for a, b in itertools.pairwise(borders)], axis=1)

    whole = played([4 * RATE])
    for _ in range(4):
        assert np.array_equal(played(cuts(4 * RATE, rng)), whole)


def test_the_clicks_end_without_a_step():
    """60 ms of each: what is left at its last frames is under -100 dB of its peak."""
    y = engine(level=0.0).play(silence(RATE))
    assert np.abs(y[0, CLICK - 10 : CLICK + 10]).max() < 1e-5
