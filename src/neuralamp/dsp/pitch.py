"""The pitch of one note, while it is played: its first partial, to a fraction of a cent.

Two ears. The quick one looks for the shortest lag at which the sound repeats itself (dsp/likeness.py), a few lags a frame, and
knows the note about two periods after it began. It tells the slow one where to listen: that one turns the sound back by the
note's frequency, so that the first partial stands nearly still, keeps only what does, and measures how fast it still turns. A
stiff string's partials lie ever sharper, and a period is a compromise between them; the pitch here is the first partial,
whatever the others do.

    z[n] = low_pass(x[n] exp(-j phase[n])),  frequency = turned by + angle(mean of z[n] conj(z[n - 1])) rate / 2 pi

Sources: the lag as in McLeod and Wyvill, "A smarter way to find pitch", ICMC 2005; the mean as in Lank, Reed and Pollon, "A
Semicoherent Detection and Doppler Estimation Statistic", IEEE Trans. AES 1973 (the pulse pair of radar).
"""

import math

from neuralamp.dsp.jit import floats_at, kernel
from neuralamp.dsp.likeness import LIKENESS, hear, likeness, summit

SCAN = 8  # lags looked at in each frame of slow sound: all of them in 4.4 ms
HIGHEST_HZ = 1500.0  # above E6, the highest fret of a guitar
FIRST_IS_ENOUGH = 0.86  # of a longer lag's likeness: then the shorter is the period, and the longer one two or three of it
MUCH_BETTER = 3.0  # a longer lag is the period where so many times less is unlike: the first partial is weak
UNSURE = 0.006  # of likeness, which is not known better than that
HEARD = 0.7  # the likeness of a note; what is less alike is noise, or a chord
SOFTEST = 1e-4  # of level, -80 dB: under it nothing is heard
SAME_NOTE = 0.03  # half a semitone: nearer frequencies are the same note
STIFF = 0.025  # 43 cents: how far the two ears may be apart, as on a thick string; beyond, the note has been bent or changed
LOST = 6  # scans without a note, 26 ms, after which it has ended
POLES = 4
NARROW = 1.0 / 6.0  # of the note: the low-pass of each of the POLES, so that the neighbouring partials are 63 dB down
SETTLED = 5.0  # periods in which the slow ear still follows the quick one
TRUSTED = 8.0  # periods, after which the slow ear is the better one
FOLLOW = 0.03  # of the frequency: from so far off, after a bend, the slow ear is turned to the note again
MEAN_MS = 80.0  # the time constant of each of the two means that the reading is taken from

PITCH = LIKENESS | {
    "frequency": float,  # the reading: hertz, 0 where no note is heard
    "confidence": float,  # the likeness at its period
    "cursor": int,  # how many lags of this scan are looked at
    "last": (2,),  # the two likenesses before
    "best": (2,),  # the lag of the period as far as this scan knows, and its likeness
    "candidate": float,  # hertz, of the last scan
    "note": float,  # hertz, as the quick ear has it
    "missed": int,  # scans without a note
    "turning": float,  # hertz, by which the slow ear turns the sound back
    "phase": float,  # in turns
    "age": float,  # frames of slow sound since it was turned to a new note
    "turned": (2, POLES),  # the charges of its low-pass, real and imaginary
    "mean": (2, 2),  # real and imaginary, the two means
}
"""The fields that a record needs for `hear_pitch`; filled as those of LIKENESS."""


@kernel
def hear_pitch(box, x):
    """One frame; `box.frequency` and `box.confidence` are the reading. True where a frame of slow sound was done."""
    if not hear(box, x):
        return False
    _turn_back(box)
    _scan(box)
    return True


@kernel
def _scan(box):
    """Look at the next few lags for the period: a summit of the likeness that no longer lag surpasses by much."""
    alike = floats_at(box.alike, (2, box.lags))
    first = int(box.slow_rate / HIGHEST_HZ) - 1
    for _ in range(SCAN):
        lag = first + box.cursor
        after = likeness(alike, lag)
        before, here = box.last[0], box.last[1]
        if box.cursor >= 2 and before < here and here >= after:
            away, like = summit(before, here, after)
            if FIRST_IS_ENOUGH * like > box.best[1] or MUCH_BETTER * (1.0 - like) + UNSURE < 1.0 - box.best[1]:
                box.best[0], box.best[1] = lag - 1 + away, like
        box.last[0], box.last[1] = here, after
        box.cursor += 1
        if lag == box.lags - 1:
            _decide(box)
            box.cursor = 0
            box.best[:] = 0.0


@kernel
def _decide(box):
    """At the end of a scan: a note, the same note, or none."""
    lag, like = box.best[0], box.best[1]
    found = box.slow_rate / lag if like >= HEARD and box.level >= SOFTEST else 0.0
    again = found > 0.0 and abs(found - box.candidate) <= SAME_NOTE * found
    box.candidate = found
    if again:
        box.missed = 0
        box.confidence = like
        if box.frequency == 0.0 or abs(found - box.note) > SAME_NOTE * found:
            _begin(box, found)
        box.note = found
        _read(box, found)
    else:
        box.missed += 1
        if box.missed >= LOST:
            box.frequency = box.confidence = 0.0


@kernel
def _begin(box, frequency):
    box.turning = frequency
    box.age = 0.0
    box.turned[:] = 0.0
    box.mean[:] = 0.0


@kernel
def _turn_back(box):
    """The first partial, nearly still, and the mean of how far it turns in a frame."""
    if box.turning == 0.0:
        return
    box.age += 1.0
    box.phase += box.turning / box.slow_rate
    box.phase -= math.floor(box.phase)
    angle = 2.0 * math.pi * box.phase
    real, imaginary = box.centred * math.cos(angle), -box.centred * math.sin(angle)
    a = min(1.0, 2.0 * math.pi * NARROW * box.turning / box.slow_rate)
    old_real, old_imaginary = box.turned[0, POLES - 1], box.turned[1, POLES - 1]
    for k in range(POLES):
        box.turned[0, k] += a * (real - box.turned[0, k])
        box.turned[1, k] += a * (imaginary - box.turned[1, k])
        real, imaginary = box.turned[0, k], box.turned[1, k]
    heard = box.age - SETTLED * box.slow_rate / box.turning
    if heard < 1.0:
        return
    share = max(1.0 / heard, 1000.0 / (MEAN_MS * box.slow_rate))
    real, imaginary = real * old_real + imaginary * old_imaginary, imaginary * old_real - real * old_imaginary
    for k in range(2):
        box.mean[0, k] += share * (real - box.mean[0, k])
        box.mean[1, k] += share * (imaginary - box.mean[1, k])
        real, imaginary = box.mean[0, k], box.mean[1, k]


@kernel
def _read(box, found):
    """The slow ear's frequency once it is good, and the sound turned back by that from then on, if it has moved."""
    periods = box.age * box.turning / box.slow_rate
    if periods < SETTLED:
        box.turning = found
    turn = math.atan2(box.mean[1, 1], box.mean[0, 1]) if box.mean[0, 1] != 0.0 else 0.0
    fine = box.turning + turn * box.slow_rate / (2.0 * math.pi)
    if periods < TRUSTED:
        box.frequency = found
        return
    if abs(fine - found) > STIFF * found:
        _begin(box, found)
        box.frequency = found
        return
    box.frequency = fine
    if abs(fine - box.turning) > FOLLOW * fine:
        cosine, sine = math.cos(turn), math.sin(turn)
        for k in range(2):
            real, imaginary = box.mean[0, k], box.mean[1, k]
            box.mean[0, k] = real * cosine + imaginary * sine
            box.mean[1, k] = imaginary * cosine - real * sine
        box.turning = fine
