"""One half of a 12AX7 in a common-cathode stage: the curve from grid to anode, as a table.

Source: K. Dempwolf and U. Zölzer, "A physically-motivated triode model for circuit simulations", DAFx 2011, with the
constants that they fitted to their tube RSD-1.
"""

from dataclasses import dataclass

import numpy as np

G, MU, GAMMA, C = 2.242e-3, 103.2, 1.26, 3.40  # cathode current: perveance in A/V^gamma, amplification, exponent, knee
G_GRID, XI, C_GRID, I_GRID0 = 6.177e-4, 1.314, 9.901, 8.025e-8  # grid current: the same, and what flows at rest in A
TABLE_STEPS = (
    -15000,
    6000,
)  # from the rest: far beyond cut-off, and beyond what a grid that draws current lets through
TABLE_STEP_V = 1e-3  # straight lines between points this near are 120 dB under a stage's full swing


@dataclass(frozen=True)
class TriodeStage:
    """The parts around the tube. The cathode is bypassed: its bias stands still; the memory is in the power stage."""

    supply_v: float = 300.0
    anode_ohm: float = 100e3
    cathode_ohm: float = 1500.0
    grid_ohm: float = 68e3  # in series with the grid: what the grid current drops its voltage over

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Volts at the input, rising, and volts at the anode against its rest: y = np.interp(x, *curve), inverting.

        The load line Va = supply - Ra Ia(Vgk, Va - Vk) is solved by bisection at each grid voltage. Positive swings
        flatten twice, as the anode reaches its lowest voltage and as the grid draws current through `grid_ohm`;
        negative ones flatten once and later, as the tube cuts off.
        """
        bias = self.bias_v()
        swing = TABLE_STEP_V * np.arange(*TABLE_STEPS)
        grid = swing - bias
        x = swing + self.grid_ohm * (grid_current(grid) - grid_current(np.array(-bias)))
        anode = self._anode_v(grid, bias)
        return x, anode - anode[-TABLE_STEPS[0]]  # silence in, silence out, to the last bit

    def bias_v(self) -> float:
        """The cathode's voltage at rest, where it equals what the cathode current makes of `cathode_ohm`."""
        low, high = 0.0, 10.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            anode = self._anode_v(np.array([-middle]), middle)
            if cathode_current(np.array([-middle]), anode - middle)[0] * self.cathode_ohm > middle:
                low = middle
            else:
                high = middle
        return middle

    def _anode_v(self, grid_v: np.ndarray, bias_v: float) -> np.ndarray:
        """Anode to ground for each grid-to-cathode voltage, by bisection: 60 halvings reach float64's last digit."""
        low, high = np.full_like(grid_v, bias_v), np.full_like(grid_v, self.supply_v)
        for _ in range(60):
            middle = 0.5 * (low + high)
            current = np.maximum(cathode_current(grid_v, middle - bias_v) - grid_current(grid_v), 0.0)
            too_high = middle > self.supply_v - self.anode_ohm * current
            low, high = np.where(too_high, low, middle), np.where(too_high, middle, high)
        return middle


def cathode_current(grid_v: np.ndarray, anode_v: np.ndarray) -> np.ndarray:
    """I_k = G (ln(1 + exp(C (Va / mu + Vg))) / C)^gamma in amperes; voltages against the cathode."""
    return G * (np.logaddexp(0.0, C * (anode_v / MU + grid_v)) / C) ** GAMMA


def grid_current(grid_v: np.ndarray) -> np.ndarray:
    """I_g = G_g (ln(1 + exp(C_g Vg)) / C_g)^xi + I_g0 in amperes; what is left of I_k reaches the anode."""
    return G_GRID * (np.logaddexp(0.0, C_GRID * grid_v) / C_GRID) ** XI + I_GRID0
