"""The tone stack: what comes out is what the circuit of the schematic lets through, wherever the dials stand."""

import itertools

import numpy as np
import pytest
import torch

from neuralamp.blocks.tone_stack import ToneStack
from tests.sound import noise, play_in_cuts

SIZE = 1 << 16  # frames of an impulse response: the slowest part rings with a time constant of 39 ms
HIGHEST = {44100.0: 18000.0, 48000.0: 19600.0, 96000.0: 20000.0}  # hertz, up to which the box follows its circuit
CIRCUITS = ToneStack.circuit.words


def bent(dial: float, half: float) -> float:
    """An audio taper: this share of the track at half a turn. A wiper stays 0.1 % away from the ends of its track."""
    share = dial / 10.0
    if half != 0.5:
        base = ((1.0 - half) / half) ** 2
        share = (base**share - 1.0) / (base - 1.0)
    return 0.001 + 0.998 * share


def bassman(bass, middle, treble, s):
    b, m, t = bent(bass, 0.1), bent(middle, 0.5), bent(treble, 0.5)
    return [
        ("in", "t", s * 250e-12),
        ("t", "out", 1.0 / ((1.0 - t) * 250e3)),
        ("out", "low", 1.0 / (t * 250e3)),
        ("in", "slope", 1.0 / 56e3),
        ("slope", "low", s * 20e-9),
        ("slope", "mid", s * 20e-9),
        ("low", "mid top", 1.0 / (b * 1e6)),
        ("mid top", "mid", 1.0 / ((1.0 - m) * 25e3)),
        ("mid", 0, 1.0 / (m * 25e3)),
    ]


def jcm(bass, middle, treble, s):
    b, m, t = bent(bass, 0.1), bent(middle, 0.5), bent(treble, 0.5)
    return [
        ("in", "f", 1.0 / 1.3e3),
        ("f", "t", s * 470e-12),
        ("t", "out", 1.0 / ((1.0 - t) * 220e3)),
        ("out", "low", 1.0 / (t * 220e3)),
        ("f", "slope", 1.0 / 33e3),
        ("slope", "low", s * 22e-9),
        ("slope", "mid", s * 22e-9),
        ("low", "mid top", 1.0 / (b * 1e6)),
        ("mid top", "mid", 1.0 / ((1.0 - m) * 25e3)),
        ("mid", 0, 1.0 / (m * 25e3)),
        ("out", 0, 1.0 / 517e3),
    ]


def twin(bass, middle, treble, s):
    b, m, t = bent(bass, 0.3), bent(middle, 0.5), bent(treble, 0.3)
    return [
        ("in", "f", 1.0 / 38e3),
        ("f", "t", s * 250e-12),
        ("t", "out", 1.0 / ((1.0 - t) * 250e3)),
        ("out", "low", 1.0 / (t * 250e3)),
        ("f", "slope", 1.0 / 100e3),
        ("slope", "low", s * 100e-9),
        ("low", "mid", 1.0 / (b * 250e3)),
        ("slope", "mid", s * 47e-9),
        ("mid", 0, 1.0 / (m * 10e3)),
        ("out", 0, 1.0 / 1e6),
    ]


def top_boost(bass, middle, treble, s):
    b, t = bent(bass, 0.3), bent(treble, 0.3)
    return [
        ("in", "f", 1.0 / 717.0),
        ("f", "t", s * 47e-12),
        ("t", "out", 1.0 / ((1.0 - t) * 1e6)),
        ("out", "low", 1.0 / (t * 1e6)),
        ("f", "slope", 1.0 / 100e3),
        ("slope", "low", s * 22e-9),
        ("slope", "wiper", s * 22e-9),
        ("low", "wiper", 1.0 / (b * 1e6)),
        ("wiper", 0, 1.0 / ((1.0 - b) * 1e6) + 1.0 / 10e3),
        ("out", 0, 1.0 / 600e3),
    ]


def james(bass, middle, treble, s):
    b, t = bent(bass, 0.1), bent(treble, 0.1)
    return [
        ("in", "f", 1.0 / 38e3),
        ("f", "high", 1.0 / 100e3),
        ("high", "wiper", 1.0 / ((1.0 - b) * 1e6) + s * 470e-12),
        ("wiper", "low", 1.0 / (b * 1e6) + s * 4.7e-9),
        ("low", 0, 1.0 / 10e3),
        ("wiper", "out", 1.0 / 180e3),
        ("f", "t", s * 330e-12),
        ("t", "out", 1.0 / ((1.0 - t) * 470e3)),
        ("out", "t low", 1.0 / (t * 470e3)),
        ("t low", 0, s * 3.3e-9),
        ("out", 0, 1.0 / 1e6),
    ]


def muff(bass, middle, treble, s):
    t = bent(treble, 0.5)
    return [
        ("in", "f", 1.0 / 1e3),
        ("f", "dark", 1.0 / 39e3),
        ("dark", 0, s * 10e-9),
        ("f", "bright", s * 4e-9),
        ("bright", 0, 1.0 / 22e3),
        ("bright", "out", 1.0 / ((1.0 - t) * 100e3)),
        ("out", "dark", 1.0 / (t * 100e3)),
        ("out", 0, 1.0 / 80e3),
    ]


SCHEMATICS = {function.__name__: function for function in (bassman, jcm, twin, top_boost, james, muff)}


def solved(circuit: str, dials: tuple[float, float, float], hertz: np.ndarray) -> np.ndarray:
    """The voltage at the output for 1 V at the input, by Kirchhoff's current law: ohms, farads, a matrix for each frequency."""
    rows = SCHEMATICS[circuit](*dials, 0.0)
    names = ["in", *sorted({name for a, b, _ in rows for name in (a, b)} - {"in", 0})]
    answer = []
    for s in 2j * np.pi * hertz:
        matrix = np.zeros((len(names), len(names)), complex)
        for a, b, admittance in SCHEMATICS[circuit](*dials, s):
            matrix[names.index(a), names.index(a)] += admittance
            if b:
                matrix[names.index(b), names.index(b)] += admittance
                matrix[names.index(a), names.index(b)] -= admittance
                matrix[names.index(b), names.index(a)] -= admittance
        answer.append(np.linalg.solve(matrix[1:, 1:], -matrix[1:, 0])[names.index("out") - 1])
    return np.array(answer)


def played(circuit: str, dials: tuple[float, float, float], sample_rate: float, level: float = 0.0) -> np.ndarray:
    """The spectrum of what the kernel plays."""
    x = np.zeros((1, SIZE), np.float32)
    x[0, 0] = 1.0
    box = ToneStack(circuit=circuit, bass=dials[0], middle=dials[1], treble=dials[2], level=level)
    return np.fft.rfft(box.prepare(sample_rate, 1, SIZE).node.play(x, 1)[0].astype(np.float64))


def settings() -> list[tuple[float, float, float]]:
    """All the ends, the middle, and ten places between."""
    places = np.random.default_rng(1).uniform(0.0, 10.0, (10, 3))
    return [*itertools.product((0.0, 10.0), repeat=3), (5.0, 5.0, 5.0), *map(tuple, places.tolist())]


@pytest.mark.parametrize("sample_rate", list(HIGHEST))
@pytest.mark.parametrize("circuit", CIRCUITS)
def test_it_is_the_circuit_within_a_tenth_of_a_decibel(circuit, sample_rate):
    wanted = np.concatenate([np.geomspace(20.0, 5000.0, 30), np.linspace(5500.0, HIGHEST[sample_rate], 30)])
    bins = np.unique(np.round(wanted * SIZE / sample_rate).astype(int))
    for dials in settings():
        right = solved(circuit, dials, bins * sample_rate / SIZE)
        wrong_db = 20.0 * np.log10(np.abs(played(circuit, dials, sample_rate)[bins] / right))
        # Measured 0.08 dB, and 0.097 in the notch of the top boost, 37 dB down, with bass and treble at 10.
        assert np.abs(wrong_db).max() < 0.1, dials


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_its_phase_is_the_circuit_s_where_notes_are(circuit):
    bins = np.unique(np.round(np.geomspace(60.0, 5000.0, 40) * SIZE / 48000.0).astype(int))
    for dials in settings():
        turned = np.angle(played(circuit, dials, 48000.0)[bins] / solved(circuit, dials, bins * 48000.0 / SIZE), deg=True)
        assert np.abs(turned).max() < 6.0  # degrees at 5 kHz, where a period has 10 frames


@pytest.mark.parametrize("sample_rate", list(HIGHEST))
@pytest.mark.parametrize("circuit", CIRCUITS)
def test_above_what_is_followed_it_rises_little(circuit, sample_rate):
    """Beyond what the fit looks at it makes up for what straight lines lose, and nobody asks it not to go on."""
    most_db = 13.0 if circuit == "top_boost" else 3.0  # measured, at half the sample rate with every dial at 10
    for dials in settings():
        assert np.abs(played(circuit, dials, sample_rate)).max() < 10.0 ** (most_db / 20.0)


def test_the_level_makes_up_for_the_loss():
    dials = (3.0, 6.0, 7.0)
    assert np.allclose(played("twin", dials, 48000.0, level=20.0), 10.0 * played("twin", dials, 48000.0), rtol=1e-5, atol=1e-5)


def test_the_middle_of_the_muff_and_of_the_james_does_nothing():
    for circuit in ("muff", "james", "top_boost"):
        low, high = (
            ToneStack(circuit=circuit, middle=middle).goals({**ToneStack().values, "middle": middle}, 48000.0)
            for middle in (0.0, 10.0)
        )
        assert np.array_equal(low, high)


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_the_energy_in_its_capacitors_can_only_fall(circuit):
    """So nothing can build up while dials glide: P is symmetric with eigenvalues from 0 to 1 at both ends of every glide."""
    for dials in settings():
        box = ToneStack(circuit=circuit, bass=dials[0], middle=dials[1], treble=dials[2])
        matrix = box.goals(box.values, 44100.0)[:16].reshape(4, 4)
        assert np.abs(matrix - matrix.T).max() < 1e-12
        falls = np.linalg.eigvalsh(matrix)
        assert falls.min() > -1e-12
        assert falls.max() < 1.0


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_dials_turned_wildly_stay_stable(circuit):
    """Every 20 ms every dial goes to a random place."""
    rng, box = np.random.default_rng(2), ToneStack(circuit=circuit)
    x = noise(1, 48000, seed=3, peak=0.5)
    turns = {
        960 * k: box.goals({"bass": b, "middle": m, "treble": t, "level": 0.0}, 48000.0)
        for k, (b, m, t) in enumerate(rng.uniform(0.0, 10.0, (50, 3)))
    }
    y = play_in_cuts(box.prepare(48000.0, 1, 64).node, x, 1, [48000], turns)
    assert np.abs(y).max() < 1.0  # twice the input: a passive circuit, its phases turned


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_torch_knows_how_the_sound_follows_each_dial(circuit):
    """The slope of the design by torch, against small turns of the dial in numpy."""
    box, at = ToneStack(circuit=circuit), {"bass": 3.0, "middle": 6.0, "treble": 4.0, "level": 2.0}
    knobs = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in at.items()}
    mix = np.random.default_rng(4).standard_normal(box.state.goals)
    (box.design(type("Knobs", (), knobs), 48000.0, torch) * torch.from_numpy(mix)).sum().backward()
    for name, value in at.items():
        up, down = (mix @ box.goals({**at, name: value + step}, 48000.0) for step in (1e-4, -1e-4))
        assert float(knobs[name].grad) == pytest.approx((up - down) / 2e-4, rel=1e-4, abs=1e-6)
