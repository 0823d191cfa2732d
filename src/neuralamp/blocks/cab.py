"""Cab: a loudspeaker and its microphone, by their impulse response."""

from pathlib import Path

import numpy as np
from numba import carray

from neuralamp.audio import look_at_audio, read_audio, resample
from neuralamp.block import Block, FileSetting, Knob, Part, Switch
from neuralamp.dsp.convolution import BLOCK, HEAD, convolution_memory, convolution_tables, convolution_taps, convolve
from neuralamp.dsp.glide import amplify
from neuralamp.dsp.jit import floats_at
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.errors import AudioFileError
from neuralamp.units import db_to_gain

LONGEST_SECONDS = 8192 / 48000  # 171 ms: beyond it a close microphone hears the room, not the speaker
FADE_SECONDS = 0.01  # where a longer response is cut
FILE_SECONDS = 10.0  # a longer file is a recording, taken for a response by mistake
LEAD_DB = -60.0  # under the peak: what comes before is the flight of the sound to the microphone
TRAIL_DB = -90.0  # under the peak: what comes after is the noise of the converter
SPEAKER_HZ = (80.0, 8000.0)  # where a guitar speaker speaks, and is measured for its loudness


class Cab(Block):
    level = Knob(0.0, -60.0, 24.0, "dB", "gain; 0 leaves the response as loud as it is")
    ir = FileSetting("an impulse response, a WAV or FLAC of one or two channels")
    normalise = Switch(
        False, "make every response equally loud: pink noise from 80 to 8000 Hz leaves with the power it came with"
    )
    trim = Switch(False, "cut the silence before the speaker answers, which makes it answer sooner")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to a linear gain."""
        return xp.stack([db_to_gain(knobs.level, xp)])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        """Raises AudioFileError where the file is no impulse response."""
        taps = impulse_response(self.set["ir"], sample_rate, normalise=self.set["normalise"], trim=self.set["trim"])
        responses = len(taps)
        lanes = max(channels, responses)
        heads, tails = zip(*map(convolution_taps, taps), strict=True)
        sizes = {"responses": responses, "lanes": lanes, "partitions": len(tails[0])}
        made = Node(
            self.play,
            self.start(sample_rate, channels) | sizes,
            memory=convolution_memory(lanes, len(tails[0])),
            constants={"head": np.stack(heads), "tail": np.stack(tails), **convolution_tables()},
        )
        return Part(made, lanes, tail_frames=taps.shape[1])

    state = State(
        goal=(1,),
        now=(1,),
        slew=float,
        channels=int,
        responses=int,
        lanes=int,
        partitions=int,
        clock=int,
        head=POINTER,
        tail=POINTER,
        weights=POINTER,
        twiddles=POINTER,
        recent=POINTER,
        spectra=POINTER,
        total=POINTER,
        ready=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """Left through left and right through right; what there is only one of serves both."""
        box = carray(state, (1,))[0]
        lanes, parts = box.lanes, box.partitions
        heads, tails = floats_at(box.head, (box.responses, HEAD)), floats_at(box.tail, (box.responses, parts, 2, BLOCK))
        tables = floats_at(box.weights, (2, BLOCK)), floats_at(box.twiddles, (2, BLOCK))
        recent, spectra = floats_at(box.recent, (lanes, HEAD + BLOCK)), floats_at(box.spectra, (lanes, parts, 2, BLOCK))
        total, ready = floats_at(box.total, (lanes, 2, BLOCK)), floats_at(box.ready, (lanes, 2, BLOCK))
        for lane in range(lanes):
            x, y = carray(inputs[min(lane, box.channels - 1)], (frames,)), carray(outputs[lane], (frames,))
            head, tail = heads[min(lane, box.responses - 1)], tails[min(lane, box.responses - 1)]
            convolve(x, y, box.clock, head, tail, tables, (recent[lane], spectra[lane], total[lane], ready[lane]))
        box.clock += frames
        now, goal = box.now[0], box.goal[0]
        for lane in range(lanes):
            y = carray(outputs[lane], frames)
            box.now[0] = amplify(y, y, 1.0, now, goal, box.slew)


def impulse_response(path: Path, sample_rate: float, *, normalise: bool = False, trim: bool = False) -> np.ndarray:
    """The response in a file as (channels, taps) float64 at a sample rate.

    Silence at its end is left out, and what is longer than LONGEST_SECONDS is faded out there. Resampling divides by the ratio
    of the rates, so that the response sounds the same at each; what a linear-phase resampler puts before the first frame is lost.

    Raises AudioFileError for a file that is no sound, silent, not finite, too long, or of more than two channels.
    """
    facts = look_at_audio(path)  # before it is read: a long one might not fit into memory
    if facts.channels > CHANNELS:
        raise AudioFileError(f"{path} has {facts.channels} channels; give an impulse response of one or two")
    if facts.frames > FILE_SECONDS * facts.sample_rate:
        raise AudioFileError(
            f"{path} lasts {facts.frames / facts.sample_rate:.1f} s; an impulse response is shorter than {FILE_SECONDS:g} s: "
            "is it a recording?"
        )
    audio = read_audio(path)
    if not np.all(np.isfinite(audio.samples)):
        raise AudioFileError(f"{path} holds numbers that are not finite; export the impulse response again")
    loudest = np.max(np.abs(audio.samples), axis=0).astype(np.float64)
    peak = loudest.max()
    if peak == 0.0:
        raise AudioFileError(f"{path} is silent; an impulse response has a sound in it: export it again")
    begin = np.flatnonzero(loudest >= peak * db_to_gain(LEAD_DB))[0] if trim else 0
    end = np.flatnonzero(loudest >= peak * db_to_gain(TRAIL_DB))[-1] + 1
    taps = resample(audio.samples[:, begin:end].astype(np.float64), audio.sample_rate, sample_rate)
    taps = _cut(taps * (audio.sample_rate / sample_rate), sample_rate)
    return taps / np.sqrt(_pink_power(taps, sample_rate)) if normalise else taps


def _cut(taps: np.ndarray, sample_rate: float) -> np.ndarray:
    """At most LONGEST_SECONDS, the end faded with half a cosine where something is cut off."""
    longest, fade = round(LONGEST_SECONDS * sample_rate), round(FADE_SECONDS * sample_rate)
    if taps.shape[1] <= longest:
        return taps
    taps = taps[:, :longest].copy()
    taps[:, -fade:] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fade + 1) / fade)
    return taps


def _pink_power(taps: np.ndarray, sample_rate: float) -> float:
    """The power of pink noise behind the response over that before it: the mean of |H|^2 over log frequency and channels."""
    size = 65536  # bins under 1 Hz apart at 48 kHz
    frequencies = np.fft.rfftfreq(size, 1.0 / sample_rate)
    band = (frequencies >= SPEAKER_HZ[0]) & (frequencies <= SPEAKER_HZ[1])
    power = np.mean(np.abs(np.fft.rfft(taps, size)) ** 2, axis=0)[band]
    return float(np.average(power, weights=1.0 / frequencies[band]))


BOX = Cab
