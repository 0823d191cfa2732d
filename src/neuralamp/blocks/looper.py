"""Looper: record a phrase, play over it, add to it, take that back; a loop is as long as two presses say, to the frame."""

import numpy as np
from numba import carray

from neuralamp.block import ACTION_BITS, PRESSES_KEPT, Block, Knob, NumberSetting, Part
from neuralamp.dsp.glide import glide, glides
from neuralamp.dsp.jit import as_pointer, bytes_at, doubles_at, floats_at, inlined, kernel
from neuralamp.dsp.node import POINTER, Node, State, node
from neuralamp.messages import LOOP_ACTIONS
from neuralamp.units import db_to_gain, ms_to_frames

SECONDS = 60.0  # longest loop where none is given: 23 MB a channel at 48 kHz, what can be taken back included
FADE_MS = 5.0  # of every seam, punch, start and stop; also the shortest loop
MOST_OVERDUBS = 65535  # since the recording; beyond it what is taken back is the last two

EMPTY, RECORDING, PLAYING, OVERDUBBING, STOPPED = range(5)
PLAY, UNDO = LOOP_ACTIONS.index("play"), LOOP_ACTIONS.index("undo")

# What a press makes of each state, in the order of LOOP_ACTIONS. Record is the one switch of a small looper: it records, closes,
# overdubs and plays in turn. A loop that is there is never recorded over: only clear takes it away.
NEXT = np.array(
    [  # record      overdub      play         stop     undo         clear
        [RECORDING, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY],
        [PLAYING, OVERDUBBING, PLAYING, STOPPED, RECORDING, EMPTY],
        [OVERDUBBING, OVERDUBBING, PLAYING, STOPPED, PLAYING, EMPTY],
        [PLAYING, PLAYING, PLAYING, STOPPED, PLAYING, EMPTY],
        [PLAYING, OVERDUBBING, PLAYING, STOPPED, STOPPED, EMPTY],
    ]
)  # fmt: skip


class Looper(Block):
    """The dry sound passes bit for bit; the loop is added to it. A second undo brings back what the first one took. While it is
    bypassed the loop is not heard, but runs on, and comes back in step. Panic, and a change of rig, forget it.
    """

    level = Knob(0.0, -60.0, 12.0, "dB", "loudness of the loop; 0 is as loud as it was played")
    decay = Knob(0.0, 0.0, 100.0, "%", "how much softer each overdub makes what was there; 0 leaves it, 100 replaces it")
    seconds = NumberSetting(1.0, 300.0, "s", "the longest loop; 60 where it is not given")

    actions = LOOP_ACTIONS
    readings = ("state", "position", "length")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """The gain of the loop, and of what an overdub finds there."""
        return xp.stack([db_to_gain(knobs.level, xp), 1.0 - knobs.decay / 100.0])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        size = round((self.set["seconds"] or SECONDS) * sample_rate)
        fade = ms_to_frames(FADE_MS, sample_rate)
        sizes = {"size": size, "fade": fade, "step": 1.0 / fade}
        made = Node(
            self.play,
            self.start(sample_rate, channels) | sizes,
            memory={"ghost": np.zeros((channels, fade), np.float32)},
            scratch={
                "new": _in_memory((channels, size), np.float32),
                "old": _in_memory((channels, size), np.float32),
                "layer": _in_memory((size,), np.uint16),
                "gone": _in_memory((MOST_OVERDUBS + 1,), np.uint8),
                "taken": np.zeros(1),  # no reset touches it: what was pressed before a panic is not pressed again after it
            },
        )
        return Part(made, channels)

    # new, old     the loop as the last overdub left each frame, and as that one found it; layer is its number, 0 the recording
    # gone         by the number of an overdub, whether it has been taken back: then the old is heard
    # heard, dub, seam: frames of the fades of what plays, of the overdub that is written at `at`, and those left of the seam
    # ghost        what has just been left, fading: ghost_left frames from ghost_at on, in a ring
    # taken        how many presses have been heard
    state = State(
        goal=(4,), now=(4,), slew=float, channels=int, size=int, fade=int, step=float,
        state=int, position=int, length=int, heard=int, dub=int, at=int, seam=int, overdubs=int, ghost_at=int, ghost_left=int,
        new=POINTER, old=POINTER, layer=POINTER, gone=POINTER, ghost=POINTER, taken=POINTER,
    )  # fmt: skip

    @node(state)
    def play(inputs, outputs, frames, state):
        """y = x + level s(u) loop[p], with s = 3 u^2 - 2 u^3 rising over FADE_MS from where playing begins.

        Recording, loop[p] = s(p) x. What comes after the press that closes it is laid under its beginning as (1 - s(p)) x: the
        end of the loop goes on as the guitar did, and fades into the beginning. An overdub writes
        loop[p] (1 - (1 - keep) s(g)) + s(g) x, where g rises from the press that begins it and falls from the one that ends it.
        """
        box = carray(state, (1,))[0]
        take_presses(box)
        new, old = floats_at(box.new, (box.channels, box.size)), floats_at(box.old, (box.channels, box.size))
        layer, gone = carray(as_pointer(box.layer), box.size, np.uint16), bytes_at(box.gone, MOST_OVERDUBS + 1)
        ghost = floats_at(box.ghost, (box.channels, box.fade))
        gliding = glides(box.now, box.goal)
        for n in range(frames):
            for k in range(2 if gliding else 0):
                box.now[k] = glide(box.now[k], box.goal[k], box.slew)
            sounding = box.state in (PLAYING, OVERDUBBING)
            rise = smooth(box.heard * box.step)
            for c in range(box.channels):
                y = inputs[c][n]
                if sounding:
                    p = box.position
                    y += np.float32(box.now[0] * rise * (old[c, p] if gone[layer[p]] else new[c, p]))
                if box.ghost_left > 0:
                    y += np.float32(box.now[0] * ghost[c, box.ghost_at])
                outputs[c][n] = y
            if box.ghost_left > 0:
                box.ghost_left -= 1
                box.ghost_at = following(box.ghost_at, box.fade)
            if box.seam > 0:  # written after it was heard: the guitar itself is still there
                p = box.fade - box.seam
                for c in range(box.channels):
                    new[c, p] += inputs[c][n] * np.float32(1.0 - smooth(p * box.step))
                box.seam -= 1
            if box.state == OVERDUBBING and box.dub == 0:
                box.overdubs = min(box.overdubs + 1, MOST_OVERDUBS)
                box.at = box.position
                gone[box.overdubs] = 0
            if box.state == OVERDUBBING and box.at == box.position and not gone[box.overdubs]:
                box.dub = min(box.dub + 1, box.fade)
            elif box.dub > 0:
                box.dub -= 1
            if box.dub > 0:
                p, share = box.at, smooth(box.dub * box.step)
                for c in range(box.channels):
                    if layer[p] != box.overdubs:
                        old[c, p] = old[c, p] if gone[layer[p]] else new[c, p]
                        new[c, p] = old[c, p]
                    new[c, p] = new[c, p] * (1.0 - (1.0 - box.now[1]) * share) + inputs[c][n] * share
                layer[p] = box.overdubs
                box.at = following(p, box.length)
            if sounding:
                box.position = following(box.position, box.length)
                box.heard = min(box.heard + 1, box.fade)
            elif box.state == RECORDING:
                p, share = box.length, np.float32(smooth(min(box.length, box.fade) * box.step))
                for c in range(box.channels):
                    new[c, p] = inputs[c][n] * share
                layer[p] = 0
                box.length += 1
                if box.length == box.size:
                    press(box, PLAY)


@inlined
def smooth(u):
    """From 0 to 1 without a kink; what rises and what falls by it sum to 1."""
    return u * u * (3.0 - 2.0 * u)


@inlined
def following(place, size):
    """The next place in a ring."""
    return place + 1 if place + 1 < size else 0


@kernel
def take_presses(box):
    """Do what has been asked for since the last buffer, in the order in which it was."""
    count, asked = len(box.goal) - 2, len(box.goal) - 1
    taken = doubles_at(box.taken, 1)
    for k in range(int(min(box.goal[count] - taken[0], PRESSES_KEPT)) - 1, -1, -1):
        press(box, min((int(box.goal[asked]) >> (ACTION_BITS * k)) & ((1 << ACTION_BITS) - 1), NEXT.shape[1] - 1))
    taken[0] = box.goal[count]
    box.now[count], box.now[asked] = box.goal[count], box.goal[asked]


@kernel
def press(box, action):
    """One press of a foot."""
    before, after = box.state, NEXT[box.state, action]
    gone = bytes_at(box.gone, MOST_OVERDUBS + 1)
    sounded, sounds = before in (PLAYING, OVERDUBBING), after in (PLAYING, OVERDUBBING)
    undone = action == UNDO and before >= PLAYING and box.overdubs > 0
    if before == RECORDING and after >= PLAYING:
        if box.length < box.fade:
            return  # a foot that trembles
        box.seam, box.overdubs, box.dub, gone[0] = box.fade, 0, 0, 0
        box.position, box.heard = 0, box.fade  # the loop's beginning fades in by itself
        sounded = sounds
    if sounded and (undone or not sounds):
        leave(box)
    if undone:
        gone[box.overdubs] = 1 - gone[box.overdubs]
    if sounds != sounded:
        box.position = box.heard = 0
    if after == EMPTY:
        box.position = box.length = box.seam = box.dub = 0
    box.state = after


@kernel
def leave(box):
    """What plays now fades out by itself, whatever becomes of the loop; what plays from here on fades in."""
    new, old = floats_at(box.new, (box.channels, box.size)), floats_at(box.old, (box.channels, box.size))
    layer, gone = carray(as_pointer(box.layer), box.size, np.uint16), bytes_at(box.gone, MOST_OVERDUBS + 1)
    ghost = floats_at(box.ghost, (box.channels, box.fade))
    gain, p, place = smooth(box.heard * box.step), box.position, box.ghost_at
    for k in range(box.fade):
        fall = gain * (1.0 - smooth(k * box.step))
        for c in range(box.channels):
            left = ghost[c, place] if k < box.ghost_left else np.float32(0.0)
            ghost[c, place] = left + np.float32(fall * (old[c, p] if gone[layer[p]] else new[c, p]))
        p, place = following(p, box.length), following(place, box.fade)
    box.ghost_left = box.fade
    box.heard = 0


def _in_memory(shape: tuple[int, ...], kind: type) -> np.ndarray:
    """Zeros that are really there: no page is asked of the system while the box plays."""
    made: np.ndarray = np.empty(shape, kind)
    made.fill(0)
    return made


BOX = Looper
