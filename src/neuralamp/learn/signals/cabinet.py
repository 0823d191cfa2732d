"""A guitar speaker in a box, as an impulse response made from what is known of such speakers.

A cone in a closed box resonates near 100 Hz and falls by 12 dB per octave below; from about 1.5 kHz the paper no longer
moves as one piece, and its break-up modes make the peaks and notches up to 4 kHz that give a speaker its voice; above 5
kHz it falls steeply.

Sources: R. H. Small, "Closed-Box Loudspeaker Systems", J. Audio Eng. Soc. 20, 1972, for the low end; N. H. Fletcher and
T. D. Rossing, "The Physics of Musical Instruments", for modal sums; A. V. Oppenheim and R. W. Schafer, "Discrete-Time
Signal Processing", for minimum phase from a magnitude through the cepstrum.
"""

import numpy as np

TAPS = 2048
FFT = 1 << 15  # so long that the cepstrum of a resonance of Q 8 does not wrap around audibly
BOX_HZ = (90.0, 110.0)  # the range of the low resonance
BOX_Q = 1.3  # 3 dB of thump
MODES = 6
MODES_HZ = (1500.0, 4000.0)
MODES_Q = (3.0, 8.0)
MODES_GAIN = (0.4, 1.2)  # of a mode against the whole cone; every second one moves against it
PRESENCE = 0.9  # of the cone's rise towards its first modes, in the amplitude
ROLL_OFF_HZ = 5000.0
ROLL_OFF_ORDER = 5  # 30 dB per octave
FLOOR = 1e-4  # -80 dB: no magnitude is nought, its logarithm is wanted
LOUDNESS_HZ = (80.0, 8000.0)


def cabinet(sample_rate: int, seed: int) -> np.ndarray:
    """An impulse response of 2048 taps, (frames,) float32, minimum phase: it begins at once and adds no latency.

    H(s) = B(s) (1 + sum of g_k (s w_k / Q_k) / (s^2 + s w_k / Q_k + w_k^2)) L(s): B the high-pass of second order of a
    closed box, L a Butterworth low-pass, the modes drawn from the seed. Only its magnitude is used.

    Unit loudness: pink noise from 80 Hz to 8 kHz leaves with the RMS that it came with.
    """
    rng = np.random.default_rng(seed)
    frequency = np.fft.rfftfreq(FFT, 1.0 / sample_rate)
    magnitude = np.maximum(np.abs(_response(frequency, rng)), FLOOR)
    taps = _minimum_phase(magnitude)[:TAPS]
    half = TAPS // 2
    taps[half:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, half + 1) / half)  # the end does not click
    return (taps / _pink_gain(taps, sample_rate)).astype(np.float32)


def _response(frequency_hz: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """H at each frequency, from the cone's parts."""
    box = rng.uniform(*BOX_HZ)
    s = 1j * frequency_hz / box
    response = s**2 / (s**2 + s / BOX_Q + 1.0)
    cone = 1.0 + PRESENCE / (1.0 + (MODES_HZ[0] / np.maximum(frequency_hz, 1.0)) ** 2)
    cone = cone.astype(complex)
    centres = np.geomspace(*MODES_HZ, MODES) * rng.uniform(0.94, 1.06, MODES)
    signs = np.where(np.arange(MODES) % 2 == 0, 1.0, -1.0)
    for centre, q, gain in zip(centres, rng.uniform(*MODES_Q, MODES), signs * rng.uniform(*MODES_GAIN, MODES), strict=True):
        s = 1j * frequency_hz / centre
        cone += gain * (s / q) / (s**2 + s / q + 1.0)
    return response * cone / np.sqrt(1.0 + (frequency_hz / ROLL_OFF_HZ) ** (2 * ROLL_OFF_ORDER))


def _minimum_phase(magnitude: np.ndarray) -> np.ndarray:
    """The impulse response of this magnitude whose energy comes first: the cepstrum folded onto its causal half."""
    cepstrum = np.fft.irfft(np.log(magnitude))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))


def _pink_gain(taps: np.ndarray, sample_rate: int) -> float:
    """The gain in RMS of pink noise, which has as much power in each octave of LOUDNESS_HZ."""
    frequency = np.fft.rfftfreq(FFT, 1.0 / sample_rate)
    band = (frequency >= LOUDNESS_HZ[0]) & (frequency <= LOUDNESS_HZ[1])
    power = np.abs(np.fft.rfft(taps, FFT))[band] ** 2
    return float(np.sqrt(np.average(power, weights=1.0 / frequency[band])))
