"""Acoustic feedback is muted within half a second; a player is never mistaken for it."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from neuralamp.audio import read_audio
from neuralamp.blocks import boxes
from neuralamp.engine import Engine
from neuralamp.rig import Rig

RATE, BUFFER = 48000, 64
WITHIN_S = 0.5  # of the moment at which the output comes to within 6 dB of its loudest


def rig(*levels_db: float) -> Rig:
    return Rig("rig", tuple(boxes()["level"](level=level) for level in levels_db))


def band(low: float, high: float) -> np.ndarray:
    return butter(2, [low, high], "band", fs=RATE, output="sos")


def live(played: Rig) -> Engine:
    engine = Engine(played, RATE, max_frames=1024, live=True, device_outputs=1)
    engine.mute(False)
    return engine


def feed_back(played: Rig, delay_ms: float, loop_db: float, sos: np.ndarray | None, seconds: float) -> tuple[float, float]:
    """A loudspeaker and the guitar: when the output became loud, and when it was muted, in seconds.

    The air is a delay, a band and a gain, so that a small sound comes back `loop_db` louder than it was. The input clips at full
    scale, as a converter does. A whisper of noise begins it.
    """
    rig_db = sum(box.values["level"] for box in played.boxes().values())
    air, delay = 10.0 ** ((loop_db - rig_db) / 20.0), round(delay_ms * 1e-3 * RATE)
    engine, buffers = live(played), round(seconds * RATE) // BUFFER
    rng, returned = np.random.default_rng(1), np.zeros(delay + (buffers + 1) * BUFFER)
    spoken, muted, rest = np.zeros(buffers * BUFFER), np.inf, None if sos is None else np.zeros((len(sos), 2))
    for begin in range(0, buffers * BUFFER, BUFFER):
        heard = returned[begin : begin + BUFFER] + 1e-5 * rng.standard_normal(BUFFER)
        y = engine.play(np.clip(heard, -1.0, 1.0)[np.newaxis].astype(np.float32))[0].astype(float)
        spoken[begin : begin + BUFFER] = y
        if sos is not None:
            y, rest = sosfilt(sos, y, zi=rest)
        returned[begin + delay : begin + delay + BUFFER] += air * y
        if engine.meters().howls:
            muted = (begin + BUFFER) / RATE
            break
    loud = np.flatnonzero(np.abs(spoken) > 0.5 * np.abs(spoken).max())[0] / RATE
    return loud, muted


@pytest.mark.parametrize("loop_db", [1.0, 6.0, 20.0])
@pytest.mark.parametrize("delay_ms", [3.0, 20.0])
@pytest.mark.parametrize("sos", [None, band(200.0, 400.0), band(2000.0, 3000.0)], ids=["flat", "low", "high"])
@pytest.mark.parametrize("levels_db", [(0.0,), (20.0,)], ids=["clean", "loud"])
def test_feedback_is_muted_within_half_a_second_of_becoming_loud(levels_db, sos, delay_ms, loop_db):
    loud, muted = feed_back(rig(*levels_db), delay_ms, loop_db, sos, seconds=3.5 if loop_db < 2.0 else 1.5)
    assert muted - loud < WITHIN_S


@pytest.mark.parametrize("delay_ms", [8.0, 40.0])
def test_feedback_of_a_bass_string_through_much_gain_is_muted_in_time(delay_ms):
    loud, muted = feed_back(rig(20.0, 20.0), delay_ms, 10.0, band(80.0, 120.0), seconds=2.0)
    assert muted - loud < WITHIN_S


def test_what_howled_stays_muted_until_it_is_unmuted():
    played = rig(20.0)
    engine, back = live(played), np.zeros(BUFFER, np.float32)
    while not engine.meters().howls:
        back = engine.play(np.clip(0.5 * back + 1e-4, -1.0, 1.0)[np.newaxis])[0]
        assert engine.meters().frames < 2 * RATE
    tone = 0.1 * np.sin(2.0 * np.pi * 220.0 / RATE * np.arange(RATE)).astype(np.float32)
    assert not back.any() and not engine.play(tone[np.newaxis]).any()
    engine.mute(False)
    assert np.abs(engine.play(tone[np.newaxis])).max() > 0.5


def test_feedback_that_is_wanted_is_left_alone():
    engine, back = live(rig(20.0)), np.zeros(BUFFER, np.float32)
    engine.allow_feedback()
    for _ in range(2 * RATE // BUFFER):
        back = engine.play(np.clip(0.5 * back + 1e-4, -1.0, 1.0)[np.newaxis])[0]
    assert (engine.meters().howls, int(engine._howl["dips"][0])) == (0, 0)
    assert np.abs(back).max() > 0.9
    engine.allow_feedback(False)
    while not engine.meters().howls:
        back = engine.play(np.clip(0.5 * back + 1e-4, -1.0, 1.0)[np.newaxis])[0]
        assert engine.meters().frames < 4 * RATE


def alarms(played: Rig, take: np.ndarray) -> tuple[int, int]:
    """Howls that were found in a take, and dips of the output."""
    engine = live(played)
    for begin in range(0, take.size - 256, 256):
        engine.play(take[np.newaxis, begin : begin + 256].astype(np.float32))
    return engine.meters().howls, int(engine._howl["dips"][0])


def test_real_guitar_is_never_taken_for_feedback(recordings):
    """As loud as the converter allows, through much gain: every take, all of it."""
    seconds = dips = 0
    for path in sorted((recordings / "di").glob("*.flac")):
        take = read_audio(path).samples[0]
        howls, looks = alarms(rig(20.0, 20.0), 0.99 * take / np.abs(take).max())
        assert howls == 0, path.name
        seconds, dips = seconds + take.size / RATE, dips + looks
    assert seconds > 250.0
    assert dips < seconds / 5.0  # the output is turned down for a moment; seldom


T = np.arange(8 * RATE) / RATE
STEADY = {
    "a test tone": 0.99 * np.sin(2.0 * np.pi * 220.0 * T),
    "a low one": 0.3 * np.sin(2.0 * np.pi * 82.4 * T),
    "full-scale noise": np.random.default_rng(2).uniform(-1.0, 1.0, T.size),
    "a swell": np.minimum(T / 4.0, 1.0) * np.sin(2.0 * np.pi * 330.0 * T),
    "a tremolo": (0.6 + 0.3 * np.sin(2.0 * np.pi * 6.0 * T)) * np.sin(2.0 * np.pi * 220.0 * T),
    "palm mutes": np.exp(-(T % 0.125) * 25.0) * np.sin(2.0 * np.pi * 110.0 * T),
    "palm mutes at the dip's own pace": np.exp(-(T % 0.08) * 40.0) * np.sin(2.0 * np.pi * 110.0 * T),
}


@pytest.mark.parametrize("sound", STEADY)
def test_what_is_steady_is_not_feedback(sound):
    assert alarms(rig(20.0, 20.0), STEADY[sound])[0] == 0


def test_any_cut_of_the_stream_gives_the_same_dips():
    take, cuts = STEADY["a test tone"][: 2 * RATE].astype(np.float32), np.random.default_rng(3)
    whole, cut, at = live(rig(20.0)), live(rig(20.0)), 0
    expected = np.concatenate([whole.play(take[np.newaxis, k : k + 1000])[0] for k in range(0, take.size, 1000)])
    while at < take.size:
        size = int(cuts.integers(1, 1500))
        assert np.array_equal(cut.play(take[np.newaxis, at : at + size])[0], expected[at : at + size])
        at += size
    assert whole._howl["dips"][0] > 0
