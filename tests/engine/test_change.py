"""Changing rigs: the next one at once, and the echoes of the last one ring on under it."""

import gc

import numpy as np

from neuralamp.block import Block
from neuralamp.blocks import boxes
from neuralamp.engine import Engine, render
from neuralamp.engine.record import MOST_SPILLS
from neuralamp.engine.switch import SWITCH_MS
from neuralamp.messages import Change, Event
from neuralamp.rig import Lanes, Rig
from neuralamp.setlist import Song
from tests.engine.boxes import Echo, Hum
from tests.sound import cuts, noise, sine

RATE = 48000
FADE = round(SWITCH_MS * 1e-3 * RATE)


def level(db: float = 0.0) -> Block:
    return boxes()["level"](level=db)


def in_buffers(engine: Engine, x: np.ndarray, frames: int = 64) -> np.ndarray:
    return np.concatenate([engine.play(x[:, at : at + frames]) for at in range(0, x.shape[1], frames)], axis=1)


def click(frames: int, *at: int) -> np.ndarray:
    x = np.zeros((1, frames), np.float32)
    x[0, list(at)] = 0.5
    return x


def test_an_echo_of_the_old_rig_is_heard_under_the_new_one():
    engine = Engine(Rig("echo", (Echo(frames=4800),)), RATE)
    heard = [in_buffers(engine, click(640, 600))]
    engine.change_rig(Rig("quieter", (level(-6.0),)))
    heard.append(in_buffers(engine, click(12800, 3000)))
    y = np.concatenate(heard, axis=1)[0]
    right = np.zeros(13440, np.float32)
    right[5400], right[3640] = 0.5, np.float32(0.5) * np.float32(10.0 ** (-6.0 / 20.0))
    assert np.array_equal(y, right)
    assert engine.plans_in_memory == 2
    engine.free_old_plans()
    assert engine.plans_in_memory == 1  # a fade, 4800 frames and a fade later it is gone


def test_what_the_guitar_plays_after_the_change_does_not_echo_in_the_old_rig():
    engine = Engine(Rig("echo", (Echo(frames=4800),)), RATE)
    engine.play(np.zeros((1, 64), np.float32))
    engine.change_rig(Rig("silent", (level(-60.0),)))
    y = in_buffers(engine, np.concatenate([np.zeros((1, 2 * FADE)), np.full((1, 12000), 0.5)], axis=1).astype(np.float32))
    assert np.abs(y).max() < 0.001  # a fade in which the new rig listens, one in which the old one falls silent


def test_two_rigs_with_the_same_sound_change_without_a_trace():
    x = sine(110.0, 30000, RATE, peak=0.5)
    for chain in ((level(),), (level(), Echo(frames=1))):
        engine = Engine(Rig("one", chain), RATE)
        first = in_buffers(engine, x[:, :6400])
        engine.change_rig(Rig("the same", chain))
        y = np.concatenate([first, in_buffers(engine, x[:, 6400:])], axis=1)
        late = len(chain) - 1
        # The straight lines of an echo of one frame meet a frame apart: 0.5/960 at most.
        assert np.abs(y[0, late:] - x[0, : x.shape[1] - late]).max() < 6e-4


def test_lanes_with_and_without_echoes_leave_together():
    """In one lane an echo, in the other the sound itself: after the fade only the echo is left of the old rig."""
    engine = Engine(Rig("wet and dry", (Lanes(((Echo(frames=9600),), (level(),))), level())), RATE)
    y = in_buffers(engine, np.full((1, 6400), 0.5, np.float32))
    assert y[0, -1] == 0.5
    engine.change_rig(Rig("silent", (level(-60.0),)))
    y = in_buffers(engine, np.zeros((1, 19200), np.float32))[0]
    # what was played from frame 0 to 6400 echoes from 9600 to 16000; the frames of the fade echo in its shape
    assert not y[FADE:3200].any()
    assert np.array_equal(y[3200 : 3200 + 6400], np.full(6400, 0.5, np.float32))
    assert not y[3200 + 6400 + FADE :].any()


def test_an_amp_that_hums_behind_an_echo_is_not_cut_off():
    engine = Engine(Rig("hum", (Echo(frames=4800), Hum())), RATE)
    engine.play(np.zeros((1, 640), np.float32))
    engine.change_rig(Rig("still", (level(),)))
    y = in_buffers(engine, np.zeros((1, 19200), np.float32))[0]
    assert y[4000] == 0.25 and y[-1] == 0.0
    assert np.abs(np.diff(y)).max() <= 1.01 * 0.25 / FADE


def test_only_so_many_rigs_ring_on_and_the_oldest_is_faded_out_first():
    engine = Engine(Rig("0", (Echo(frames=48000),)), RATE)
    in_buffers(engine, np.linspace(0.0, 0.1, 4800, dtype=np.float32)[np.newaxis])
    most = 0
    for k in range(1, 9):
        in_buffers(engine, np.full((1, 1920), 0.1, np.float32))
        engine.change_rig(Rig(str(k), (Echo(frames=48000),)))
        engine.free_old_plans()
        most = max(most, engine.plans_in_memory)
    in_buffers(engine, np.linspace(0.1, 0.0, 4800, dtype=np.float32)[np.newaxis])
    y = in_buffers(engine, np.zeros((1, 2 * 48000 + 4 * FADE), np.float32))[0]
    assert np.abs(np.diff(y)).max() <= 4 * 0.1 / FADE * 1.01  # every echo begins and ends with a fade, none is cut
    engine.free_old_plans()
    assert most <= MOST_SPILLS + 3  # those that ring, the one that plays, one that waits and one just asked for
    assert engine.plans_in_memory == 1


def test_a_list_of_frames_and_rigs_sounds_the_same_in_any_buffers():
    x = noise(1, 20000, seed=1, peak=0.5)
    rigs = [Rig("echo", (level(-3.0), Echo(frames=3000))), Rig("eq", (boxes()["eq"](bass=9.0),)), Rig("low", (level(-12.0),))]
    takes = []
    for lengths in ([20000], cuts(20000, np.random.default_rng(2)), cuts(20000, np.random.default_rng(3), 64)):
        engine = Engine(rigs[0], RATE)
        for frame, k in ((1000, 1), (1500, 2), (1600, 0), (7001, 1), (7002, 2), (15000, 0)):
            engine.change_rig(rigs[k], frame)
            engine.turn("level" if k != 1 else "eq", "level" if k != 1 else "bass", -6.0, frame + 3)
        parts = np.split(x, np.cumsum(lengths)[:-1], axis=1)
        takes.append(np.concatenate([engine.play(part) for part in parts], axis=1))
    assert np.array_equal(takes[0], takes[1]) and np.array_equal(takes[0], takes[2])


def test_a_render_follows_a_set_list():
    songs = (Song("quiet", Rig("a", (level(-20.0),))), Song("loud", Rig("b", (level(0.0), boxes()["mixer"](pan=-100.0)))))
    x = np.ones((1, 6000), np.float32)
    y = render(songs[0].rig, x, RATE, [Event(2000, Change("loud"))], songs=songs)
    assert y.shape == (2, 6000)  # as wide as the widest
    assert np.abs(y[:, :2000] - 0.1).max() < 1e-7
    assert abs(y[0, -1] - 2.0**0.5) < 1e-6 and abs(y[1, -1]) < 1e-6
    back = render(songs[1].rig, x, RATE, [Event(2000, Change("quiet"))], songs=songs[::-1])
    fading = slice(2000 + FADE, 2000 + 2 * FADE)  # it has listened first
    share = np.arange(1, FADE + 1) / FADE
    assert np.abs(back[0, fading] - (2.0**0.5 * (1.0 - share) + 0.1 * share)).max() < 1e-6
    assert np.abs(back[1, fading] - 0.1 * share).max() < 1e-6  # mono under what leaves on the left alone


def test_many_changes_under_a_steady_sound_make_no_step_and_keep_no_memory():
    """Rigs with echoes and without, changed faster than their fades end: tests/engine/test_stage.py has those without."""
    rigs = [Rig("a", (level(-3.0), Echo(frames=2000))), Rig("b", (level(-6.0),)), Rig("c", (level(-1.0), Echo(frames=300)))]
    x = sine(147.0, 120 * 480, RATE, peak=0.4)
    engine = Engine(rigs[0], RATE)
    before = [in_buffers(engine, x[:, :4800])]
    for k, at in enumerate(range(4800, x.shape[1], 480)):
        engine.change_rig(rigs[(k + 1) % 3])
        before.append(in_buffers(engine, x[:, at : at + 480]))
    y = np.concatenate(before, axis=1)[0]
    # up to four rigs sound at once, each with its steady slope
    steady = 4 * np.abs(np.diff(x[0])).max()
    assert np.abs(np.diff(y)).max() <= 1.5 * steady
    in_buffers(engine, np.zeros((1, 9600), np.float32))
    engine.free_old_plans()
    gc.collect()
    assert engine.plans_in_memory == 1
