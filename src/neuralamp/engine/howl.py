"""The howl detector: a loudspeaker that is heard by the guitar's input, found out by a short dip of the output.

What plays and what howls look alike: a note held by a good sustain is as loud, as narrow and as steady as feedback is. But only
in a loop does the input hang on the output. So where the input's level has run straight for STEADY_HOPS, level or upwards, and
the output is loud, the output is turned down for DIP_HOPS. If the input falls and as long after rises, it howls, and the output
is muted. A string knows nothing of the dip, and is left alone until it does something else, or for REST_HOPS.

Twelve takes of real guitar, 266 s, as loud as a converter allows and through 40 dB of gain, have it turned down 14 times, held
single notes more often; none of them has fallen and risen in step with it.
"""

import numpy as np
from numba import carray

from neuralamp.dsp.jit import as_pointer, integers_at, kernel
from neuralamp.units import db_to_gain, ms_to_frames

HOP_MS = 10.0
WINDOW_HOPS = 3  # over which a level is taken: several periods of a bass string
STEADY_HOPS, STRAIGHT_DB = 18, 0.4  # levels that lie on a line, to so much
FALL_DB = 0.02  # that the line may fall in a hop, 2 dB a second: a plucked string falls faster
GROWTH_DB = 0.7  # nor may it rise by more in a hop: what grows faster hides its answer, and will soon grow no more
LOUD_DB, HEARD_DB = -12.0, -60.0  # of the output, of the input: below it nothing is found
DIP_HOPS, EDGE_HOPS = 8.0, 0.5
DIP_DB, DEEP_DB = 6.0, 40.0  # the deep one where the input is over FULL_DB: a clipped one would not fall by less
FULL_DB = -2.8  # no sine is so loud
BEGINS_DB, FALLS_DB, RISES_DB = 2.0, 2.5, 2.0  # of the input: the fall begins, is one, and is over
EARLIEST_HOPS, LATEST_HOPS = 5, 12  # from the fall's beginning to its end
RETURN_HOPS = 3  # in which it then comes back to where it was, and no higher: a string that is plucked anew does
RAILS_DB = -1.0  # nothing that is played is so loud: from one rail to the other, by a loop that no dip can open
COLLAPSE_DB = 10.0  # a deep dip may end the howl: then nothing rises soon
WAIT_HOPS = 22  # for both, from the dip's beginning: a loop of 80 ms has answered by then
REST_HOPS, ELSEWHERE_DB = 300, 3.0  # a string is left alone for so long, and while it is so near to where it was
SILENCE = 1e-20
NO_DIP = -1

HOWL = np.dtype(
    [
        ("howls", np.int64),  # found so far, and
        ("dips", np.int64),  # how often the output was turned down to see
        ("hop_frames", np.int64),
        ("filled", np.int64),  # frames of the hop that runs, and what they amount to
        ("heard_now", np.float64),
        ("spoken_now", np.float64),
        ("heard", np.float64, (WINDOW_HOPS,)),  # energies of the last hops
        ("spoken", np.float64, (WINDOW_HOPS,)),
        ("levels_db", np.float64, (STEADY_HOPS,)),  # of the input, one after each hop
        ("known", np.int64),  # how many of them have been heard
        ("dip", np.int64),  # frames since the output was turned down, or NO_DIP
        ("dip_gain", np.float64),
        ("highest_db", np.float64),  # of the input since then, and
        ("lowest_db", np.float64),  # after that, and
        ("falling", np.int64),  # hops since the fall began
        ("rising", np.int64),  # hops since it ended
        ("before_db", np.float64),  # the input when the last dip began
        ("rest", np.int64),  # hops until the output may be turned down again
    ]
)
DIP_GAIN, DEEP_GAIN = float(db_to_gain(-DIP_DB)), float(db_to_gain(-DEEP_DB))


def new_howl(sample_rate: float) -> np.ndarray:
    """The detector's record, at rest."""
    record = np.zeros(1, HOWL)
    record["hop_frames"], record["dip"] = ms_to_frames(HOP_MS, sample_rate), NO_DIP
    return record


@kernel
def howl_at(address):
    """The record at an address."""
    return carray(as_pointer(address), 1, HOWL)[0]


@kernel
def forget(howl):
    """Listen from the beginning: what was heard until now says nothing."""
    howl.filled, howl.known, howl.dip, howl.rest = 0, 0, NO_DIP, 0
    howl.heard_now = howl.spoken_now = 0.0


@kernel
def watch(stage, howl, device_in, device_out, frames):
    """Follow a buffer of input and output frame by frame, the output turned down while a dip lasts. Whether it howls."""
    place = integers_at(stage.input_map, 1)[0]
    width = stage.device_outputs
    for n in range(frames):
        x = np.float64(device_in[n * stage.device_inputs + place]) if device_in.size > 0 else 0.0
        if abs(x) < 1e6:  # a broken number, which would stay for ever, is passed over
            howl.heard_now += x * x
        if howl.dip != NO_DIP:
            gain = _gain_in_dip(howl)
            for k in range(width):
                device_out[n * width + k] *= gain
            howl.dip += 1
        for k in range(width):
            howl.spoken_now += np.float64(device_out[n * width + k]) ** 2
        howl.filled += 1
        if howl.filled == howl.hop_frames and _judge(howl):
            howl.howls += 1
            return True
    return False


@kernel
def _gain_in_dip(howl):
    """The output's gain: from 1 straight down, and straight up again."""
    at = howl.dip / howl.hop_frames
    depth = min(max(min(at, DIP_HOPS - at) / EDGE_HOPS, 0.0), 1.0)
    return np.float32(1.0 + depth * (howl.dip_gain - 1.0))


@kernel
def _push(row, value):
    """Put a number behind the others of a row; the first one falls out."""
    for k in range(row.size - 1):
        row[k] = row[k + 1]
    row[-1] = value


@kernel
def _judge(howl):
    """At the end of a hop: keep its levels, begin a dip where one is due, and end it with a verdict."""
    _push(howl.heard, howl.heard_now / howl.hop_frames)
    _push(howl.spoken, howl.spoken_now / howl.hop_frames)
    howl.heard_now, howl.spoken_now, howl.filled = 0.0, 0.0, 0
    heard, spoken = SILENCE, SILENCE
    for k in range(WINDOW_HOPS):
        heard += howl.heard[k] / WINDOW_HOPS
        spoken += howl.spoken[k] / WINDOW_HOPS
    level_db = 10.0 * np.log10(heard)
    if howl.dip != NO_DIP:
        return _answers(howl, level_db)
    _push(howl.levels_db, level_db)
    howl.known += 1
    howl.rest = max(howl.rest - 1, 0) if abs(level_db - howl.before_db) < ELSEWHERE_DB else 0
    if howl.rest == 0 and spoken > 10.0 ** (LOUD_DB / 10.0) and howl.known > STEADY_HOPS + WINDOW_HOPS and _runs_straight(howl):
        howl.dip, howl.falling, howl.rising = 0, 0, 0
        howl.dip_gain = DEEP_GAIN if level_db > FULL_DB else DIP_GAIN
        howl.highest_db = howl.lowest_db = howl.before_db = level_db
        howl.dips += 1
    return False


@kernel
def _runs_straight(howl):
    """Whether the input's levels lie on a line, which neither falls as a string does nor rises too fast; by least squares."""
    middle, mean, slope, spread = 0.5 * (STEADY_HOPS - 1), 0.0, 0.0, 0.0
    for k in range(STEADY_HOPS):
        mean += howl.levels_db[k] / STEADY_HOPS
        slope += (k - middle) * howl.levels_db[k]
        spread += (k - middle) ** 2
    slope /= spread
    straight = slope > -FALL_DB and slope < GROWTH_DB
    for k in range(STEADY_HOPS):
        straight &= abs(howl.levels_db[k] - mean - (k - middle) * slope) < STRAIGHT_DB and howl.levels_db[k] > HEARD_DB
    return straight


@kernel
def _answers(howl, level_db):
    """Whether the input has fallen as the output has, and risen again; where it has not in WAIT_HOPS, the dip is over."""
    if howl.falling == 0 and level_db > howl.highest_db:
        howl.highest_db = howl.lowest_db = level_db
    howl.lowest_db = min(howl.lowest_db, level_db)
    fallen_db = howl.highest_db - howl.lowest_db
    if howl.falling > 0 or level_db < howl.highest_db - BEGINS_DB:
        howl.falling += 1
    if howl.rising > 0 or (fallen_db > FALLS_DB and level_db > howl.lowest_db + RISES_DB):
        howl.rising += 1
    in_step = EARLIEST_HOPS <= howl.falling - howl.rising <= LATEST_HOPS
    back = howl.lowest_db + RISES_DB < level_db < howl.highest_db + RISES_DB
    if howl.rising > RETURN_HOPS and in_step and back:
        return True
    if howl.rising <= RETURN_HOPS and howl.dip < WAIT_HOPS * howl.hop_frames:
        return False
    howl.dip, howl.known, howl.rest = NO_DIP, 0, REST_HOPS
    return howl.dip_gain == DEEP_GAIN and (fallen_db > COLLAPSE_DB or level_db > RAILS_DB)
