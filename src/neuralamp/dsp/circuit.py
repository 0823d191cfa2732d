"""Passive circuits, from the parts of their schematic to a filter that may be turned while it sounds.

A circuit of resistors, potentiometers and up to ORDER capacitors between an input, an output and ground. With q_i = sqrt(C_i) v_i
for the voltage v_i across capacitor i, it obeys

    q' = A q + b u,    y = c q + d u,    A symmetric, no eigenvalue above 0: the energy in the capacitors, |q|^2 / 2, only falls.

With an input of straight lines between frames this is exact from frame to frame (the first-order hold), h being the time of one:

    q[n] = P q[n-1] + g0 v[n-1] + g1 v[n],    P = e^(A h), g0 = h (F1(A h) - F2(A h)) b, g1 = h F2(A h) b,
    F1(z) = (e^z - 1) / z, F2(z) = (e^z - 1 - z) / z^2.

P is symmetric with eigenvalues from 0 to 1, and so is every mixture of two such: no path of a gliding knob can make q grow.
Straight lines lose treble, 4 dB at 16 kHz and 48 kHz where a circuit falls by 6 dB per octave. The first of it is given back in
v, the rest by TAPS weights e of w, both of which leave low notes alone:

    x[n] = u[n] - 2 u[n-1] + u[n-2],    v[n] = u[n] - x[n] / 12,    w[n] = x[n] - POLE w[n-1],
    y[n] = c q[n] + d u[n] + sum_k e_k w[n-k].

The weights are fitted to the circuit's own response up to FITTED of the sample rate, in decibels; its phase is followed loosely,
for no filter without latency can follow both to the end. Kilohms and nanofarads are the units, so that times are in microseconds.

Sources: G. Franklin, J. Powell, M. Workman, "Digital Control of Dynamic Systems", 1998, for the hold; C.-W. Ho, A. Ruehli and
P. Brennan, "The Modified Nodal Approach to Network Analysis", IEEE Trans. Circuits and Systems 22(6), 1975, for the circuit.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from neuralamp.dsp.jit import kernel

ORDER = 4  # capacitors
TAPS = 6
POLE = 0.9  # lifts w near half the sample rate, where straight lines lose most
SHARPENED = 1.0 / 12.0  # straight lines turn a sine of a small angle t per frame down by 1 - t^2 / 12
FITTED = 0.41  # of the sample rate: 18 kHz at 44.1 kHz, 19.7 kHz at 48 kHz
POINTS, BEYOND = 32, 8  # how often the fit looks up to there, and from there to half the sample rate
BEYOND_WEIGHS = 3e-4  # as good as nothing is asked for there, but that a bright circuit shall not rise much
FITS = 4  # steps of the fit
PHASE = 0.02  # what an error of phase and amplitude together weighs beside the error in decibels
DOUBLINGS = 8  # e^(A h) is summed up at a 256th of a frame, then squared eight times
TERMS = 9  # of that sum: exact in float64 where no time constant is under 0.1 us
TRACK_END = 1e-3  # of its track is left between a potentiometer's wiper and the pin that it is turned to

# Where the parts of a filter begin among its values.
BEFORE, NOW, OUT, DIRECT = ORDER * ORDER, ORDER * (ORDER + 1), ORDER * (ORDER + 2), ORDER * (ORDER + 3)
WEIGHTS = DIRECT + 1
VALUES = WEIGHTS + TAPS
MEMORY = ORDER + 3 + TAPS


class Resistor(NamedTuple):
    a: str
    b: str
    kilohms: float


class Track(NamedTuple):
    """The part of a potentiometer's track between two of its pins: it grows as the control is turned up, or shrinks."""

    a: str
    b: str
    kilohms: float
    control: int
    grows: bool = True


class Capacitor(NamedTuple):
    a: str
    b: str
    nanofarads: float


def potentiometer(top: str, wiper: str, bottom: str, kilohms: float, control: int) -> tuple[Track, Track]:
    """All three pins in use: turned up, the wiper stands at the top."""
    return Track(top, wiper, kilohms, control, grows=False), Track(wiper, bottom, kilohms, control)


class Circuit(NamedTuple):
    """Parts between nodes with names; "in" is driven by a source without resistance, "ground" is ground, "out" is listened to."""

    parts: tuple[Resistor | Track | Capacitor, ...]


def state_space(circuit: Circuit, positions, xp):
    """A (capacitors, capacitors), b, c (capacitors,) and d of the circuit, in microseconds.

    positions  (controls,) each 0 to 1, what share of its track a potentiometer has below its wiper: the taper is done.

    Every capacitor is taken as a source of its voltage; Kirchhoff's current law at all nodes then tells its current.
    """
    m = _matrices(circuit)
    conductances = 1.0 / (xp.asarray(m.fixed) + xp.asarray(m.turned) @ positions)
    across = xp.asarray(m.across)
    nodes = (across * conductances) @ across.T
    sources = xp.asarray(m.sources)
    nothing = xp.asarray(np.zeros((sources.shape[1], sources.shape[1])))
    left = xp.concat([xp.concat([nodes, sources], axis=1), xp.concat([sources.T, nothing], axis=1)], axis=0)
    solved = xp.linalg.solve(left, xp.asarray(m.right))
    root = xp.asarray(m.root_farads)
    currents, out = solved[nodes.shape[0] : -1], solved[m.out]
    a = currents[:, :-1] / root[:, None] / root
    return 0.5 * (a + a.T), currents[:, -1] / root, out[:-1] / root, out[-1]


class _Matrices(NamedTuple):
    """A circuit as numbers: kilohms as fixed + turned @ positions, which nodes they lie across, and which the sources do."""

    fixed: np.ndarray
    turned: np.ndarray
    across: np.ndarray
    sources: np.ndarray
    right: np.ndarray
    root_farads: np.ndarray
    out: int


@cache
def _matrices(circuit: Circuit) -> _Matrices:
    resistances = [part for part in circuit.parts if not isinstance(part, Capacitor)]
    capacitors = [part for part in circuit.parts if isinstance(part, Capacitor)]
    names = sorted({name for part in circuit.parts for name in part[:2]} - {"ground"})

    def across(a: str, b: str) -> list[float]:
        return [float(name == a) - float(name == b) for name in names]

    tracks = [part for part in resistances if isinstance(part, Track)]
    fixed = [part.kilohms * (1.0 if isinstance(part, Resistor) else _share(part, 0.0)) for part in resistances]
    turned = np.zeros((len(resistances), 1 + max(part.control for part in tracks)))
    for row, part in enumerate(resistances):
        if isinstance(part, Track):
            turned[row, part.control] = part.kilohms * (_share(part, 1.0) - _share(part, 0.0))
    sources = np.array([across(*part[:2]) for part in capacitors] + [across("in", "ground")]).T
    return _Matrices(
        np.array(fixed),
        turned,
        np.array([across(*part[:2]) for part in resistances]).T,
        sources,
        np.concatenate([np.zeros_like(sources), np.eye(sources.shape[1])]),
        np.sqrt([part.nanofarads for part in capacitors]),
        names.index("out"),
    )


def _share(track: Track, position: float) -> float:
    """How much of the whole track this part is."""
    return TRACK_END + (1.0 - 2.0 * TRACK_END) * (position if track.grows else 1.0 - position)


def circuit_filter(circuit: Circuit, positions, sample_rate: float, xp):
    """(VALUES,) what `play_circuit` plays: P, g0, g1, c, d and e, empty places filled with zeros.

    Within 0.1 dB of the circuits of dsp/tone_stacks.py up to FITTED of the sample rate, wherever they are turned: 0.08 dB, and
    nearly 0.1 in the deepest notch, 37 dB down. From there to half the sample rate bright ones rise by 3 dB, the top boost by 13.
    """
    system = state_space(circuit, positions, xp)
    a, b, c, d = system
    frame = 1e6 / sample_rate
    whole, first, second = _exponentials(a * frame, xp)
    before, now = frame * ((first - second) @ b), frame * (second @ b)
    held = a * frame @ first, before, now, c, d  # P - 1 without the digits that P has lost
    empty = ORDER - c.shape[0]
    pad = xp.asarray(np.zeros(empty))
    matrix = xp.concat(
        [xp.concat([whole, xp.asarray(np.zeros((empty, c.shape[0])))]), xp.asarray(np.zeros((ORDER, empty)))], axis=1
    )
    weights = _weights(system, held, sample_rate, xp)
    return xp.concat([matrix.reshape(-1), before, pad, now, pad, c, pad, xp.stack([d]), weights])


def _exponentials(z, xp):
    """e^z, F1(z), F2(z) of a matrix: sums of powers of a small part of z, and from there by doubling."""
    one = xp.asarray(np.eye(z.shape[0]))
    z = z / 2.0**DOUBLINGS
    second = one / math.factorial(TERMS + 1)
    for term in range(TERMS - 1, 0, -1):
        second = one / math.factorial(term + 1) + z @ second
    first = one + z @ second
    whole = one + z @ first
    for _ in range(DOUBLINGS):
        second = 0.25 * (first @ first + 2.0 * second)
        first = 0.5 * (whole @ first + first)
        whole = whole @ whole
    return whole, first, second


def _weights(system, held, sample_rate: float, xp):
    """(TAPS,) e: least squares, first of what is missing as a complex number, then in steps of its decibels."""
    points, z, sharp, differences, back = (xp.asarray(grid) for grid in _grid())
    one = xp.asarray(np.eye(system[0].shape[0]))

    def states(left, right):
        return xp.linalg.solve(left, right)[:, :, 0]

    a, b, c, d = system
    s = (points * (2.0 * math.pi * sample_rate / 1e6))[:, None, None] * 1j
    circuit = (states(s * one - a, (b + 0j)[:, None]) * c).sum(-1) + d
    change, before, now, c, d = held
    driven = ((before + now * z[:, None]) * sharp[:, None])[:, :, None]
    plain = (states((z - 1.0)[:, None, None] * one - change, driven) * c).sum(-1) + d

    relative = _real((differences / circuit[:, None])[:POINTS], xp)
    loose = PHASE**2 * (relative.T @ relative)
    missing = _real(((circuit - plain) / circuit)[:POINTS], xp)
    weights = xp.linalg.solve(relative.T @ relative, relative.T @ missing)
    loudness = xp.abs(circuit)
    # In a notch little is left of much: a point weighs by how far it lies under the loudest.
    weight = xp.concat([(loudness.max() / loudness)[:POINTS], xp.asarray(np.full(BEYOND, BEYOND_WEIGHS))])[:, None]
    for _ in range(FITS):
        reached = plain + differences @ (weights + 0j)
        slopes = (differences / reached[:, None]).real
        heavy = weight * slopes
        short = heavy.T @ (xp.log(loudness) - xp.log(xp.abs(reached)))
        missing = _real(((circuit - reached) / circuit)[:POINTS], xp)
        weights = weights + xp.linalg.solve(heavy.T @ slopes + loose, short + PHASE**2 * (relative.T @ missing))
    return back @ weights


def _real(numbers, xp):
    """Complex rows as twice as many real ones, for least squares."""
    return xp.concat([numbers.real, numbers.imag], axis=0)


@cache
def _grid() -> tuple[np.ndarray, ...]:
    """Where the fit looks, in cycles per frame, denser at both ends; z and v / u there; what the taps of w give there.

    The taps are nearly the same: for the fit they are mixed into as many that are orthogonal, and the last matrix leads back.
    """
    inside = FITTED * np.sin(0.5 * np.pi * (np.arange(POINTS) + 0.5) / POINTS) ** 2
    points = np.concatenate([inside, FITTED + (0.5 - FITTED) * np.arange(1, BEYOND + 1) / BEYOND])
    z = np.exp(2j * np.pi * points)
    difference = (1.0 - 1.0 / z) ** 2
    taps = (difference / (1.0 + POLE / z))[:, None] * z[:, None] ** -np.arange(TAPS)
    back = np.linalg.inv(np.linalg.qr(_real(taps, np), mode="r"))
    return points, z, 1.0 - SHARPENED * difference, taps @ back, back


@kernel
def play_circuit(u, values, memory):
    """One frame through the filter of `circuit_filter`.

    values  (VALUES,), which may be others at each frame.
    memory  (MEMORY,) q, then u, v and u of the frames n-1, n-1 and n-2, then w of the last TAPS frames.
    """
    q0, q1, q2, q3 = memory[0], memory[1], memory[2], memory[3]
    before, sharp_before, w = memory[ORDER], memory[ORDER + 1], ORDER + 3
    difference = u - 2.0 * before + memory[ORDER + 2]
    sharp = u - SHARPENED * difference
    y = values[DIRECT] * u
    for row in range(ORDER):
        k = ORDER * row
        driven = values[BEFORE + row] * sharp_before + values[NOW + row] * sharp
        q = driven + (values[k] * q0 + values[k + 1] * q1) + (values[k + 2] * q2 + values[k + 3] * q3)
        y += values[OUT + row] * q
        memory[row] = q
    last = memory[w]
    for k in range(TAPS - 1, 0, -1):
        memory[w + k] = memory[w + k - 1]
    memory[w] = difference - POLE * last
    for k in range(TAPS):
        y += values[WEIGHTS + k] * memory[w + k]
    memory[ORDER], memory[ORDER + 1], memory[ORDER + 2] = u, sharp, before
    return y
