"""How much of the dry sound and how much of the wet one a mix knob lets through, as linear gains."""

import math


def wet_onto_dry(percent, xp):
    """For echoes: up to 50 % the dry sound stays exactly as it is and the wet one comes in; beyond it the dry one goes.

    dry = min(1, 2 - m / 50), wet = min(1, m / 50): both whole at 50 %.
    """
    return xp.clip(2.0 - percent / 50.0, max=1.0), xp.clip(percent / 50.0, max=1.0)


def wet_for_dry(percent, xp):
    """For voices that do not run in step with the dry sound: equal power, dry = cos(pi/2 m), wet = sin(pi/2 m)."""
    angle = percent * (math.pi / 200.0)
    return xp.cos(angle), xp.sin(angle)
