"""A batch: every take through every rig, as many at once as there are cores, each output whole or absent."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from neuralamp.audio import look_at_audio, sweep_partials
from neuralamp.capture.levels import Levels
from neuralamp.engine import Engine
from neuralamp.errors import AudioFileError, ReampError
from neuralamp.messages import read_events
from neuralamp.reamp.crew import work
from neuralamp.reamp.jobs import find_takes, make_jobs, open_rigs
from neuralamp.reamp.manifest import Manifest, made_from, rig_digest
from neuralamp.reamp.take import Job, Outcome, Settings, file_digest
from neuralamp.rig import Rig
from neuralamp.setlist import read_setlist

ANY_RATE = 48000


@dataclass(frozen=True)
class FileReport:
    """What became of one take through one rig.

    status   "done", "skipped" (it stood already), "failed", or "stopped" (by Ctrl-C, before it stood).
    seconds  of sound in the output; rtf is how many of them one core rendered in a second. 0 where nothing was rendered.
    error    one line, where it failed.
    """

    input: str
    rig: str
    output: str
    status: str
    seconds: float = 0.0
    rtf: float = 0.0
    error: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What became of a batch, in the order in which it was asked for.

    notes  what a guitarist should know of how the rigs play: levels, what a capture's file did not say.
    """

    files: tuple[FileReport, ...]
    notes: tuple[str, ...] = ()

    def count(self, status: str) -> int:
        return sum(file.status == status for file in self.files)


@dataclass(frozen=True)
class Progress:
    """How far a batch is: files, and seconds of sound, as far as the takes' heads tell them."""

    files: int
    files_over: int
    seconds: float
    seconds_over: float


def reamp(
    inputs: Sequence[Path | str],
    folder: Path | str,
    *,
    captures: Sequence[Path | str] = (),
    rigs: Sequence[Path | str] = (),
    settings: Settings | None = None,
    levels: Levels | None = None,
    setlist: Path | str | None = None,
    processes: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Report:
    """Play every input (files, folders, globs) through every capture and rig, into `folder`/<input> - <rig>.<ending>.

    An output has its input's length, sample rate, coding, and place in time. One that cannot be made fails alone.

    levels     for the amps of all rigs, where a rig itself says nothing of them.
    setlist    a file of songs instead of captures and rigs; `settings.events` changes between them.
    processes  at work at once; None is one for each core. A program that starts more than one must be importable, as
               multiprocessing asks for: guard it with `if __name__ == "__main__"`.
    resume     skip outputs that stand and were made from the same sound, rig and settings by this version.
    overwrite  make outputs again that stand; without it and `resume`, such a batch is refused before anything is rendered.

    Ctrl-C leaves what stands, and the rest is "stopped". Raises ReampError, RigError, CaptureError, KnobError or AudioFileError
    for a batch that cannot begin.
    """
    settings, folder = settings or Settings(), Path(folder)
    if processes is not None and processes < 1:
        raise ReampError(f"{processes} jobs at once are not possible; give 1 or more")
    if folder.exists() and not folder.is_dir():
        raise ReampError(f"{folder} is a file; choose a folder with -o")
    played = open_rigs(captures, rigs, setlist)
    if setlist is not None:
        settings = replace(settings, songs=read_setlist(Path(setlist)))
    for rig in (*played, *(song.rig for song in settings.songs)):
        rig.suggest(**asdict(levels or Levels()))
    if settings.events is not None:
        read_events(settings.events, ANY_RATE)  # what is wrong with them is told now
    jobs = make_jobs(find_takes(inputs, folder), played, folder)
    batch = _Batch(jobs, played, settings, Manifest(folder), report)
    batch.refuse_or_skip(resume, overwrite)
    notes = tuple(f"{rig.name}, {note}" for rig in played for note in _compile(rig))
    batch.run(min(processes or _cores(), len(batch.waiting)))
    return replace(batch.report(), notes=notes)


class _Batch:
    """Jobs and what has become of them."""

    def __init__(
        self, jobs: list[Job], rigs: list[Rig], settings: Settings, manifest: Manifest, listen: Callable[[Progress], None]
    ):
        self.jobs, self.rigs, self.settings, self.manifest, self.listen = jobs, rigs, settings, manifest, listen
        self.rig_digests = [rig_digest(rig) for rig in rigs]
        self.input_digests: dict[Path, str] = {}
        self.over: dict[Job, FileReport] = {}
        self.seconds = {job: _seconds(job.input) for job in jobs}
        self.shares: dict[Job, float] = {}

    @property
    def waiting(self) -> list[Job]:
        return [job for job in self.jobs if job not in self.over]

    def refuse_or_skip(self, resume: bool, overwrite: bool) -> None:
        """Settle what happens to outputs that stand already."""
        standing = [job for job in self.jobs if job.output.exists()]
        if standing and not (resume or overwrite):
            raise ReampError(
                f"{len(standing)} of {len(self.jobs)} outputs are there already, such as {standing[0].output}; "
                "add --resume to keep those that are done, --overwrite to make them again, or choose another folder"
            )
        for job in standing:
            if resume and self._stands(job):
                self._over(job, "skipped")
            elif not overwrite and not self.manifest.owns(job.output):
                self._over(
                    job, "failed", error=f"{job.output} is there and was made by something else; add --overwrite or move it"
                )
        for job in self.waiting:
            sweep_partials(job.output)

    def _stands(self, job: Job) -> bool:
        if job.input not in self.input_digests:
            self.input_digests[job.input] = file_digest(job.input) if job.input.is_file() else ""
        return self.manifest.is_done(job.output, self._made_from(job, self.input_digests[job.input]))

    def _made_from(self, job: Job, input_digest: str) -> str:
        return made_from(input_digest, self.rig_digests[job.rig], self.settings)

    def run(self, processes: int) -> None:
        """Do what is waiting. Ctrl-C ends it, and is told in the report."""
        try:
            work(processes, self.waiting, self.rigs, self.settings, (self.manifest.begin, self._played, self._finished))
        except KeyboardInterrupt:
            for job in self.waiting:
                sweep_partials(job.output)  # Ctrl-C may fall between the making of a file and the promise to remove it
                self._over(job, "stopped")

    def _played(self, job: Job, share: float) -> None:
        self.shares[job] = share
        self._tell()

    def _finished(self, job: Job, outcome: Outcome) -> None:
        if outcome.error:
            self._over(job, "failed", error=outcome.error, warnings=outcome.warnings)
            return
        self.manifest.done(job, self._made_from(job, outcome.input_digest))
        rtf = outcome.seconds / outcome.cpu_seconds if outcome.cpu_seconds else 0.0
        self._over(job, "done", seconds=outcome.seconds, rtf=rtf, warnings=outcome.warnings)

    def _over(self, job: Job, status: str, **facts) -> None:
        self.over[job] = FileReport(str(job.input), self.rigs[job.rig].name, str(job.output), status, **facts)
        self.shares[job] = 1.0
        self._tell()

    def _tell(self) -> None:
        over = sum(self.seconds[job] * share for job, share in self.shares.items())
        self.listen(Progress(len(self.jobs), len(self.over), sum(self.seconds.values()), over))

    def report(self) -> Report:
        return Report(tuple(self.over[job] for job in self.jobs))


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _compile(rig: Rig) -> list[str]:
    """Prepare a rig here: what is wrong with it is told now, its kernels lie compiled for every process. Returns its notes."""
    engine = Engine(rig, rig.plays_at() or ANY_RATE)
    engine.play(np.zeros((1, 64), np.float32))
    return engine.plan.notes


def _seconds(path: Path) -> float:
    """How long a take is, by its head; nothing where there is none to read."""
    try:
        facts = look_at_audio(path)
    except AudioFileError:
        return 0.0
    return facts.frames / facts.sample_rate
