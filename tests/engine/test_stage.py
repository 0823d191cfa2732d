"""What stands between a rig and ears: the ramp, the ceiling, the guard against broken numbers, the change of rig."""

import gc
import sys
import weakref

import numpy as np
import pytest

from neuralamp.blocks import boxes
from neuralamp.engine import Engine
from neuralamp.engine.output import CEILING
from neuralamp.engine.switch import SWITCH_MS
from neuralamp.rig import Rig
from realtime.bench.memory import memory_mb
from tests.sound import cuts, noise, sine

RATE = 48000
BRIEF = RATE // 8  # what goes on as steadily for longer may be feedback, and is looked into (test_howl.py)


def level(level_db: float = 0.0) -> Rig:
    return Rig(f"{level_db:g} dB", (boxes()["level"](level=level_db),))


def live(rig: Rig, **more) -> Engine:
    return Engine(rig, RATE, live=True, **more)


def played_open(engine: Engine) -> Engine:
    """An engine whose start ramp is over."""
    engine.play(np.zeros((engine.device_inputs, RATE // 10), np.float32))
    return engine


def in_buffers(engine: Engine, x: np.ndarray, frames: int = 64) -> np.ndarray:
    """(inputs, frames) in buffers of a device: (outputs, frames)."""
    return np.concatenate([engine.play(x[:, at : at + frames]) for at in range(0, x.shape[1], frames)], axis=1)


# -- the ramp --------------------------------------------------------------------------------------------------------------


def test_sound_comes_out_of_silence_over_at_least_20_ms():
    y = in_buffers(live(level()), np.full((1, RATE // 10), 0.5, np.float32))
    opened = int(np.argmax(y[0] == 0.5))
    assert 0.020 * RATE <= opened <= 0.050 * RATE
    steps = np.diff(y[0], prepend=np.float32(0.0))
    assert np.all(steps >= 0.0)
    assert steps.max() <= 0.5 / (0.020 * RATE)  # a straight line of 20 ms or longer: no step that clicks


def test_muting_ramps_into_silence_and_out_of_it_again():
    engine = played_open(live(level()))
    x = np.full((1, RATE // 10), 0.5, np.float32)
    engine.mute()
    falling = in_buffers(engine, x)[0]
    assert falling[0] > 0.49 and np.all(np.diff(falling) <= 0.0) and not falling[-1]
    assert not in_buffers(engine, x).any()
    engine.mute(False)
    rising = in_buffers(engine, x)[0]
    assert rising[0] < 0.01 and np.all(np.diff(rising) >= 0.0) and rising[-1] == 0.5


def test_an_engine_muted_before_it_starts_is_silent_to_the_last_bit():
    engine = live(level(24.0))
    engine.mute()
    assert not in_buffers(engine, noise(1, RATE // 2, seed=1)).any()


# -- the ceiling -----------------------------------------------------------------------------------------------------------


def test_below_the_ceiling_not_a_bit_is_changed():
    engine = played_open(live(level()))
    x = noise(1, BRIEF, seed=2, peak=float(CEILING))
    assert np.array_equal(in_buffers(engine, x), np.repeat(x, 2, axis=0))
    assert engine.meters().clipped_frames == 0


def test_the_ceiling_is_a_tenth_of_a_decibel_under_full_scale_and_every_cut_frame_is_counted():
    engine = played_open(live(level()))
    x = noise(1, BRIEF, seed=3, peak=1.5)
    y = in_buffers(engine, x)
    ceiling = np.float32(10.0 ** (-0.1 / 20.0))
    assert y.max() == ceiling and y.min() == -ceiling
    loud = np.abs(x[0]) > ceiling
    assert engine.meters().clipped_frames == np.count_nonzero(loud)
    assert np.array_equal(y[:, ~loud], np.repeat(x[:, ~loud], 2, axis=0))


def test_offline_there_is_no_ceiling_and_no_ramp():
    x = noise(1, 5000, seed=4, peak=3.0)
    assert np.array_equal(Engine(level(), RATE).play(x), x)


# -- broken numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("word", ["level", "eq", "gate"])
def test_a_broken_number_mutes_the_same_buffer_and_sound_is_back_within_200_ms(broken, word):
    engine = played_open(live(Rig(word, (boxes()[word](),))))
    healthy = live(Rig(word, (boxes()[word](),)))
    x = sine(220.0, RATE, RATE, peak=0.3) * (1.0 + sine(5.0, RATE, RATE, peak=0.6))
    wrong = x.copy()
    wrong[0, 10_000] = broken
    y, right = in_buffers(engine, wrong), in_buffers(healthy, x)
    assert np.all(np.isfinite(y))
    buffer = slice(10_000 // 64 * 64, (10_000 // 64 + 1) * 64)
    assert not y[:, buffer].any()
    assert engine.meters().poisoned_buffers == 1
    back = y[:, 10_000 + RATE // 5 :]
    # a recursive filter starts again from rest: what it had heard before has died away to a hundredth by then
    assert np.abs(back - right[:, 10_000 + RATE // 5 :]).max() < 0.005


def test_a_rig_that_never_stops_breaking_stays_silent_and_finite():
    engine = played_open(live(level()))
    y = in_buffers(engine, np.full((1, RATE // 5), np.nan, np.float32))
    assert not y.any()
    assert engine.meters().poisoned_buffers == RATE // 5 // 64


def test_the_meters_tell_levels_again_after_a_broken_number():
    engine = played_open(live(level()))
    x = sine(220.0, RATE // 2, RATE, peak=0.5)
    for broken in (np.nan, np.inf):
        x[0, 100] = broken
        in_buffers(engine, x)
        assert engine.meters().input_db == pytest.approx(-6.02, abs=0.1)
        assert engine.meters().output_db == pytest.approx(-6.02, abs=0.1)


# -- the change of rig -----------------------------------------------------------------------------------------------------


def test_a_change_of_rig_makes_no_step_larger_than_half_as_much_again_as_the_sound_itself():
    rigs = [level(0.0), level(-12.0), Rig("eq", (boxes()["eq"](),)), level(-3.0)]
    engine = played_open(live(rigs[0]))
    x = sine(196.0, 4 * RATE, RATE, peak=0.5)
    steady = np.abs(np.diff(in_buffers(engine, x[:, : RATE // 2])[0])).max()
    played = []
    for k, at in enumerate(range(RATE // 2, x.shape[1] - 8 * 64, 8 * 64)):  # every 10.7 ms: often before the last fade has ended
        engine.change_rig(rigs[k % len(rigs)])
        played.append(in_buffers(engine, x[:, at : at + 8 * 64])[0])
    assert np.abs(np.diff(np.concatenate(played))).max() <= 1.5 * steady


def test_a_change_of_rig_is_over_after_its_fade_and_then_only_the_new_one_sounds():
    engine = played_open(live(level(0.0)))
    engine.change_rig(level(-6.0))
    x = np.full((1, RATE // 10), 0.5, np.float32)
    y = in_buffers(engine, x)[0]
    fade = round(SWITCH_MS * 1e-3 * RATE)
    assert np.all(y[:fade] == 0.5)  # it listens
    assert np.all(np.diff(y[fade : 2 * fade]) < 0.0)
    assert np.array_equal(y[2 * fade :], in_buffers(played_open(live(level(-6.0))), x)[0, 2 * fade :])


def test_a_change_of_rig_sounds_the_same_in_any_buffers():
    x, rng = noise(1, 10_000, seed=5, peak=0.5), np.random.default_rng(6)
    takes = []
    for lengths in ([64] * 156 + [16], cuts(10_000, rng, 500), cuts(10_000, rng, 5000)):
        engine = played_open(live(level(0.0)))
        engine.change_rig(level(-12.0))
        engine.play(x[:, :64])
        engine.change_rig(level(-3.0))  # waits for the fade to end
        parts = np.split(x, np.cumsum(lengths)[:-1], axis=1)
        takes.append(np.concatenate([engine.play(part) for part in parts], axis=1))
    assert np.array_equal(takes[0], takes[1]) and np.array_equal(takes[0], takes[2])


def test_old_plans_are_freed_once_the_audio_thread_has_let_go_of_them():
    engine = played_open(live(level(0.0)))
    first = weakref.ref(engine.plan)
    engine.change_rig(level(-6.0))
    engine.play(np.zeros((1, 64), np.float32))
    engine.free_old_plans()
    assert first() is not None  # it is still fading out
    engine.play(np.zeros((1, RATE // 10), np.float32))
    engine.free_old_plans()
    gc.collect()
    assert first() is None
    assert engine.plans_in_memory == 1


def test_a_thousand_changes_of_rig_leave_the_memory_as_it_was():
    engine = played_open(live(level(0.0)))
    silence = np.zeros((1, 256), np.float32)

    def change(times: int) -> None:
        for k in range(times):
            engine.change_rig(level(-float(k % 20)))
            engine.play(silence)

    change(300)
    gc.collect()
    before = held_mb()
    change(1000)
    gc.collect()
    # one plan of this rig holds about 0.05 MB of buffers: a leak would be 50
    assert held_mb() - before < 4.0
    engine.play(np.zeros((1, RATE // 10), np.float32))
    engine.free_old_plans()
    assert engine.plans_in_memory == 1


def held_mb() -> float:
    """What this process holds in memory."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the memory of a process is read from /proc, which only Linux has")
    return memory_mb()


# -- knobs at a change of rig -----------------------------------------------------------------------------------------------


def test_a_knob_of_the_new_rig_turned_while_the_old_one_still_fades_is_heard():
    engine = played_open(live(level(0.0)))
    engine.change_rig(level(-6.0))
    engine.play(np.zeros((1, 64), np.float32))
    engine.change_rig(level(-12.0))  # waits for the fade to end
    engine.turn("level", "level", -40.0)
    y = in_buffers(engine, np.full((1, RATE // 2), 0.5, np.float32))[0]
    assert y[-1] == pytest.approx(0.5 * 10 ** (-40.0 / 20.0), rel=1e-3)


# -- channels --------------------------------------------------------------------------------------------------------------


def test_the_guitar_is_heard_from_its_channel_and_on_the_channels_asked_for():
    engine = played_open(live(level(), device_inputs=3, input_map=(2,), device_outputs=4, output_map=(-1, 1, -1, 0)))
    x = noise(3, 640, seed=7, peak=0.5)
    y = in_buffers(engine, x)
    assert np.array_equal(y[1], x[2]) and np.array_equal(y[3], x[2])
    assert not y[0].any() and not y[2].any()


def test_a_single_output_hears_both_sides():
    engine = played_open(live(level(), device_outputs=1))
    x = noise(1, 640, seed=8, peak=0.5)
    assert np.array_equal(in_buffers(engine, x), x)


def test_a_buffer_longer_than_the_engine_s_own_is_split_without_a_trace():
    x = noise(1, 10_000, seed=9, peak=0.5)
    short = played_open(live(level(), max_frames=100)).play(x)
    assert np.array_equal(short, played_open(live(level())).play(x))
