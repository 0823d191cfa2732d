"""How late sound really is: a sweep sent out, and found again in what comes in by a cable from output to input.

The device is opened exactly as for playing, and a compiled callback plays and listens. What is counted are the frames between a
frame's leaving and its coming back: everything between the program and the plugs, which a device's own figure may leave out.
"""

import time
from dataclasses import dataclass

import numpy as np

from neuralamp.errors import DeviceError
from neuralamp.live.stream import Ports, Stream
from neuralamp.live.tester import Tester

SWEEPS, SWEEP_S, PAUSE_S = 4, 0.25, 0.5  # the pause is the longest latency that is found
LEVEL_DB, LOW_HZ, HIGH_HZ = -20.0, 200.0, 8000.0
SETTLE_S = 0.5
SURE = 0.5  # the least likeness of a sweep and its return: nothing but a cable, however noisy, is so alike
AGREE_FRAMES = 1  # by which the sweeps may differ
GIVE_UP_S = 5.0  # beyond the length of the test


@dataclass(frozen=True)
class RoundTrip:
    """What was measured.

    frames      from out to in and back; at `sample_rate`.
    nominal_ms  what the device says, both ways together.
    likeness    of what came back to what was sent, 0 to 1; the least of the sweeps.
    return_db   how loud it came back, against how it was sent.
    """

    frames: int
    milliseconds: float
    nominal_ms: float
    likeness: float
    return_db: float
    sample_rate: float


def sweep(sample_rate: float) -> np.ndarray:
    """A tone that rises from LOW_HZ to HIGH_HZ, an octave always as long, with soft ends: no step can be mistaken for another."""
    t = np.arange(round(SWEEP_S * sample_rate)) / sample_rate
    octaves = np.log(HIGH_HZ / LOW_HZ)
    phase = 2.0 * np.pi * LOW_HZ * SWEEP_S / octaves * np.expm1(octaves * t / SWEEP_S)
    edges = np.minimum(np.minimum(t, t[::-1]) / 0.01, 1.0)
    return 10.0 ** (LEVEL_DB / 20.0) * edges * np.sin(phase)


def measure_round_trip(ports: Ports, sample_rate: float | None = None) -> RoundTrip:
    """Play the sweeps and listen. Raises DeviceError where none comes back, and what a device can refuse."""
    rates = [float(rate) for rate in dict.fromkeys((sample_rate, ports.output.sample_rate)) if rate]
    tester = Tester(ports.inputs, ports.input_channel, ports.outputs, ports.output_channels[0])
    stream = Stream(ports, rates[:1] if sample_rate else rates, tester)
    try:
        rate = stream.sample_rate
        sent, step = sweep(rate), round((SWEEP_S + PAUSE_S) * rate)
        signal = np.zeros(round(SETTLE_S * rate) + SWEEPS * step)
        begins = [round(SETTLE_S * rate) + k * step for k in range(SWEEPS)]
        for begin in begins:
            signal[begin : begin + sent.size] = sent
        tester.load(signal)
        stream.start()
        deadline = time.monotonic() + signal.size / rate + GIVE_UP_S
        while not tester.done:
            if time.monotonic() > deadline or not stream.alive:
                raise DeviceError(f"{ports.name} has stopped in the middle of the test; try again")
            time.sleep(0.05)
        nominal_ms = sum(stream.latency_ms)
    finally:
        stream.close()
    return _judge(tester.heard, sent, begins, step, rate, nominal_ms, ports)


def _judge(heard, sent, begins, step, rate, nominal_ms, ports: Ports) -> RoundTrip:
    found = [find_sweep(heard[begin : begin + step], sent) for begin in begins]
    lags, likenesses, gains = zip(*found, strict=True)
    wires = f"output {ports.output_channels[0]} of {ports.output.name} to input {ports.input_channel} of {ports.input.name}"
    if min(likenesses) < SURE:
        raise DeviceError(f"the test sound did not come back; connect {wires} by a cable, turn both up, and try again")
    if max(lags) - min(lags) > AGREE_FRAMES:
        raise DeviceError(
            f"the sweeps came back after {min(lags)} to {max(lags)} frames: buffers were lost; try again, or with larger ones"
        )
    frames = int(np.median(lags))
    loss = 20.0 * np.log10(float(np.median(gains)))
    return RoundTrip(frames, 1e3 * frames / rate, nominal_ms, float(min(likenesses)), float(loss), rate)


def find_sweep(heard: np.ndarray, sent: np.ndarray) -> tuple[int, float, float]:
    """Where a sweep is in what was heard: frames from the beginning, likeness 0 to 1 of either polarity, and gain.

    The likeness is the correlation, sum(x y) / sqrt(sum(x x) sum(y y)), of the sweep with the stretch where it is largest.
    """
    size = 1 << int(heard.size + sent.size - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)[: heard.size - sent.size + 1]
    lag = int(np.argmax(np.abs(product)))
    there = heard[lag : lag + sent.size]
    both = float(np.linalg.norm(there) * np.linalg.norm(sent))
    return lag, float(abs(product[lag])) / both if both else 0.0, float(abs(product[lag]) / (sent @ sent))
