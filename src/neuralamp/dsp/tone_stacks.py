"""The passive tone controls of classic amps, from their schematics: controls 0, 1 and 2 are bass, middle and treble.

Kilohms and nanofarads. The source that drives them and the input that they drive are parts of the circuit where the schematic's
stages are no ideal ones. Values and tapers are facts of the schematics, as collected by D. T. Yeh and J. O. Smith,
"Discretization of the '59 Fender Bassman Tone Stack", DAFx 2006, and in the Tone Stack Calculator of Duncan Amps and its heirs;
what drives and what loads the Vox's and the Muff's is estimated from their stages.
"""

from typing import NamedTuple

import numpy as np

from neuralamp.dsp.circuit import Capacitor, Circuit, Resistor, Track, potentiometer

BASS, MIDDLE, TREBLE = 0, 1, 2
LINEAR = 0.5


class ToneStack(NamedTuple):
    """A circuit, and its tapers: the share of the track below the wiper at half a turn, of bass, middle and treble.

    0.5 is LINEAR, 0.1 is what the trade calls 10A. What stands for a control that the circuit has not does not matter.
    """

    circuit: Circuit
    half_way: tuple[float, float, float]


def positions(stack: ToneStack, turned, xp):
    """(3,) how far each control is turned, 0 to 1, to the share of its track below the wiper: (base^turned - 1) / (base - 1)."""
    bent = [half != LINEAR for half in stack.half_way]
    half = np.where(bent, stack.half_way, 0.1)
    base = ((1.0 - half) / half) ** 2
    curve = (xp.exp(xp.asarray(np.log(base)) * turned) - 1.0) / xp.asarray(base - 1.0)
    return xp.where(xp.asarray(np.array(bent)), curve, turned)


BASSMAN = Circuit(  # Fender Bassman 5F6-A, 1959: the follower that drives it and the grid that it drives are ideal
    (
        Capacitor("in", "top", 0.25),
        *potentiometer("top", "out", "bottom", 250.0, TREBLE),
        Resistor("in", "slope", 56.0),
        Capacitor("slope", "bottom", 20.0),
        Track("bottom", "mids", 1000.0, BASS),
        *potentiometer("mids", "wiper", "ground", 25.0, MIDDLE),
        Capacitor("slope", "wiper", 20.0),
    )
)
JCM = Circuit(  # Marshall 1959 and JCM800 2203: the Bassman's circuit with more treble and a fuller middle
    (
        Resistor("in", "follower", 1.3),
        Capacitor("follower", "top", 0.47),
        *potentiometer("top", "out", "bottom", 220.0, TREBLE),
        Resistor("follower", "slope", 33.0),
        Capacitor("slope", "bottom", 22.0),
        Track("bottom", "mids", 1000.0, BASS),
        *potentiometer("mids", "wiper", "ground", 25.0, MIDDLE),
        Capacitor("slope", "wiper", 22.0),
        Resistor("out", "ground", 517.0),
    )
)
TWIN = Circuit(  # Fender AB763, 1963: driven by an anode, and the middle is a resistance to ground alone
    (
        Resistor("in", "anode", 38.0),
        Capacitor("anode", "top", 0.25),
        *potentiometer("top", "out", "bottom", 250.0, TREBLE),
        Resistor("anode", "slope", 100.0),
        Capacitor("slope", "bottom", 100.0),
        Track("bottom", "mids", 250.0, BASS),
        Capacitor("slope", "mids", 47.0),
        Track("mids", "ground", 10.0, MIDDLE),
        Resistor("out", "ground", 1000.0),
    )
)
TOP_BOOST = Circuit(  # Vox AC30 Top Boost, 1961: the bass control's wiper is where the other stacks have their middle
    (
        Resistor("in", "follower", 0.717),
        Capacitor("follower", "top", 0.047),
        *potentiometer("top", "out", "bottom", 1000.0, TREBLE),
        Resistor("follower", "slope", 100.0),
        Capacitor("slope", "bottom", 22.0),
        Capacitor("slope", "wiper", 22.0),
        Track("bottom", "wiper", 1000.0, BASS),
        Track("wiper", "ground", 1000.0, BASS, grows=False),
        Resistor("wiper", "ground", 10.0),
        Resistor("out", "ground", 600.0),
    )
)
JAMES = Circuit(  # E. J. James, "Simple Tone Control Circuit", Wireless World 2/1949; common values, as Orange and Ampeg used it
    (
        Resistor("in", "anode", 38.0),
        Resistor("anode", "high", 100.0),
        *potentiometer("high", "wiper", "low", 1000.0, BASS),
        Capacitor("high", "wiper", 0.47),
        Capacitor("wiper", "low", 4.7),
        Resistor("low", "ground", 10.0),
        Resistor("wiper", "out", 180.0),
        Capacitor("anode", "top", 0.33),
        *potentiometer("top", "out", "bottom", 470.0, TREBLE),
        Capacitor("bottom", "ground", 3.3),
        Resistor("out", "ground", 1000.0),
    )
)
MUFF = Circuit(  # Electro-Harmonix Big Muff Pi, 1975: a low-pass and a high-pass, and one control that fades between them
    (
        Resistor("in", "collector", 1.0),  # what is fed back to its base makes it a stiff source
        Resistor("collector", "dark", 39.0),
        Capacitor("dark", "ground", 10.0),
        Capacitor("collector", "bright", 4.0),
        Resistor("bright", "ground", 22.0),
        *potentiometer("bright", "out", "dark", 100.0, TREBLE),
        Resistor("out", "ground", 80.0),  # the next transistor's bias: 100 beside 430
    )
)

TONE_STACKS = {
    "bassman": ToneStack(BASSMAN, (0.1, LINEAR, LINEAR)),
    "jcm": ToneStack(JCM, (0.1, LINEAR, LINEAR)),
    "twin": ToneStack(TWIN, (0.3, LINEAR, 0.3)),
    "top_boost": ToneStack(TOP_BOOST, (0.3, LINEAR, 0.3)),
    "james": ToneStack(JAMES, (0.1, LINEAR, 0.1)),
    "muff": ToneStack(MUFF, (LINEAR, LINEAR, LINEAR)),
}
