"""Cab: a loudspeaker and its microphone, by their impulse response, or two of them blended."""

from pathlib import Path

import numpy as np
from numba import carray

from neuralamp.audio import look_at_audio, read_audio, resample
from neuralamp.block import Block, FileSetting, Knob, Part, Switch
from neuralamp.dsp.convolution import BLOCK, HEAD, convolution_memory, convolution_tables, convolution_taps, convolve
from neuralamp.dsp.glide import amplify, glide
from neuralamp.dsp.jit import floats_at, kernel
from neuralamp.dsp.node import CHANNELS, POINTER, Node, State, node
from neuralamp.errors import AudioFileError
from neuralamp.units import db_to_gain

LONGEST_SECONDS = 8192 / 48000  # 171 ms: beyond it a close microphone hears the room, not the speaker
FADE_SECONDS = 0.01  # where a longer response is cut
FILE_SECONDS = 10.0  # a longer file is a recording, taken for a response by mistake
LEAD_DB = -60.0  # under the peak: what comes before is the flight of the sound to the microphone
TRAIL_DB = -90.0  # under the peak: what comes after is the noise of the converter
FARTHEST_MS = 10.0  # 3.4 m between two microphones: what is farther apart is not one speaker heard twice
LEAST_ALIKE = 0.2  # of a correlation that is 1 for copies; two noises of a thousand frames have 0.1 somewhere by chance
SPEAKER_HZ = (80.0, 8000.0)  # where a guitar speaker speaks, and is measured for its loudness


class Cab(Block):
    level = Knob(0.0, -60.0, 24.0, "dB", "gain; 0 leaves the response as loud as it is")
    blend = Knob(50.0, 0.0, 100.0, "%", "from ir alone to ir_b alone, where a second response is given")
    ir = FileSetting("an impulse response, a WAV or FLAC of one or two channels")
    ir_b = FileSetting("a second impulse response to blend with the first", optional=True)
    normalise = Switch(
        False, "make every response equally loud: pink noise from 80 to 8000 Hz leaves with the power it came with"
    )
    trim = Switch(False, "cut the silence before the speaker answers, which makes it answer sooner")
    align = Switch(True, "bring the second response in time and in polarity with the first, so that they do not thin each other")

    @staticmethod
    def design(knobs, sample_rate, xp):
        """Decibels to a linear gain, and the second response's share."""
        return xp.stack([db_to_gain(knobs.level, xp), knobs.blend / 100.0])

    def prepare(self, sample_rate: float, channels: int, max_frames: int) -> Part:
        """Raises AudioFileError where a file is no impulse response."""
        options = {"normalise": self.set["normalise"], "trim": self.set["trim"]}
        heard = [impulse_response(path, sample_rate, **options) for path in self.files()]
        notes: tuple[str, ...] = ()
        if len(heard) == 2 and self.set["align"]:
            heard, note = aligned(heard[0], heard[1], sample_rate)
            notes = (note,)
        taps = _stacked(heard)
        blended, responses, _ = taps.shape
        lanes = max(channels, responses)
        heads, tails = zip(*map(convolution_taps, taps.reshape(blended * responses, -1)), strict=True)
        sizes = {"blended": blended, "responses": responses, "lanes": lanes, "partitions": len(tails[0])}
        made = Node(
            self.play,
            self.start(sample_rate, channels) | sizes,
            memory=convolution_memory(blended * lanes, len(tails[0])),
            constants={"head": np.stack(heads), "tail": np.stack(tails), **convolution_tables()},
            scratch={"second": np.zeros(BLOCK, np.float32)},
        )
        return Part(made, lanes, tail_frames=taps.shape[2], notes=notes)

    state = State(
        goal=(2,),
        now=(2,),
        slew=float,
        channels=int,
        blended=int,
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
        second=POINTER,
    )

    @node(state)
    def play(inputs, outputs, frames, state):
        """Left through left and right through right; what there is only one of serves both.

        y = a + share (b - a): two responses that are the same are one, exactly, and both are heard even at either end of the
        blend, so that it may glide away from there at any frame.
        """
        box = carray(state, (1,))[0]
        blended, lanes, parts = box.blended, box.lanes, box.partitions
        rows = blended * lanes
        heads = floats_at(box.head, (blended, box.responses, HEAD))
        tails = floats_at(box.tail, (blended, box.responses, parts, 2, BLOCK))
        tables = floats_at(box.weights, (2, BLOCK)), floats_at(box.twiddles, (2, BLOCK))
        recent, spectra = floats_at(box.recent, (rows, HEAD + BLOCK)), floats_at(box.spectra, (rows, parts, 2, BLOCK))
        total, ready = floats_at(box.total, (rows, 2, BLOCK)), floats_at(box.ready, (rows, 2, BLOCK))
        second = floats_at(box.second, BLOCK)
        for lane in range(lanes):
            x, y = carray(inputs[min(lane, box.channels - 1)], (frames,)), carray(outputs[lane], (frames,))
            head, tail = heads[0, min(lane, box.responses - 1)], tails[0, min(lane, box.responses - 1)]
            convolve(x, y, box.clock, head, tail, tables, (recent[lane], spectra[lane], total[lane], ready[lane]))
        done = 0
        while done < frames and blended == 2:  # as many frames at once as `second` holds
            size = min(BLOCK, frames - done)
            share = box.now[1]
            for lane in range(lanes):
                x, y = carray(inputs[min(lane, box.channels - 1)], (frames,)), carray(outputs[lane], (frames,))
                head, tail = heads[1, min(lane, box.responses - 1)], tails[1, min(lane, box.responses - 1)]
                row = lanes + lane
                memory = recent[row], spectra[row], total[row], ready[row]
                convolve(x[done : done + size], second[:size], box.clock + done, head, tail, tables, memory)
                box.now[1] = blend_in(y[done : done + size], second, share, box.goal[1], box.slew)
            done += size
        box.clock += frames
        now, goal = box.now[0], box.goal[0]
        for lane in range(lanes):
            y = carray(outputs[lane], frames)
            box.now[0] = amplify(y, y, 1.0, now, goal, box.slew)


@kernel
def blend_in(y, other, share, goal, slew):
    """y += share (other - y) with a share that glides; returns where it is then."""
    for n in range(y.size):
        share = glide(share, goal, slew)
        y[n] += share * ((other[n] + 0.0) - y[n])
    return share


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


def aligned(a: np.ndarray, b: np.ndarray, sample_rate: float) -> tuple[list[np.ndarray], str]:
    """Two responses brought together, and what was done to them in one line.

    Where their cross-correlation is largest, by at most FARTHEST_MS, b is moved by whole frames and turned over if it is negative
    there. Only silence is cut off its beginning; where that is too short, a waits for the rest. What has less than LEAST_ALIKE in
    common is no speaker heard twice, and stays as it is.
    """
    rows = (a, b) if len(a) == len(b) else (a.mean(axis=0, keepdims=True), b.mean(axis=0, keepdims=True))
    farthest = round(FARTHEST_MS * sample_rate / 1000.0)
    size = max(a.shape[1], b.shape[1]) + farthest
    spectra = [np.fft.rfft(taps, size) for taps in rows]
    correlation = np.fft.irfft(np.sum(np.conj(spectra[0]) * spectra[1], axis=0), size)
    lags = np.arange(-farthest, farthest + 1)
    late = int(lags[np.argmax(np.abs(correlation[lags]))])
    alike = correlation[late] / np.sqrt(np.prod([np.sum(np.square(taps)) for taps in rows]))
    if abs(alike) < LEAST_ALIKE:
        return [a, b], f"align: ir_b stays as it is, since it has too little in common with ir (correlation {alike:.2f})"
    turned = alike < 0.0
    loudest = np.max(np.abs(b), axis=0)
    silent = int(np.flatnonzero(loudest >= loudest.max() * db_to_gain(LEAD_DB))[0])
    cut = min(max(late, 0), silent)
    moved_a, moved_b = max(late, 0) - cut, max(-late, 0)
    done = [f"ir_b moved {cut} frames earlier"] if cut else []
    done += [f"ir_b moved {moved_b} frames later"] if moved_b else []
    done += [f"ir moved {moved_a} frames later"] if moved_a else []
    done += ["ir_b turned over"] if turned else []
    a = np.pad(a, ((0, 0), (moved_a, 0)))
    b = np.pad(b[:, cut:], ((0, 0), (moved_b, 0))) * (-1.0 if turned else 1.0)
    return [a, b], f"align: {', '.join(done) or 'ir_b is in time and in polarity with ir'}"


def _stacked(heard: list[np.ndarray]) -> np.ndarray:
    """(responses, channels, taps): what is shorter ends in silence, what has one channel has it twice beside one of two."""
    channels, taps = max(len(each) for each in heard), max(each.shape[1] for each in heard)
    wide = [np.broadcast_to(each, (channels, each.shape[1])) for each in heard]
    return np.stack([np.pad(each, ((0, 0), (0, taps - each.shape[1]))) for each in wide])


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
