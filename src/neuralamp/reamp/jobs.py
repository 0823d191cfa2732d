"""What is to be played through what, and where it goes: inputs to takes, takes to jobs, every name settled beforehand."""

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from neuralamp.audio import look_at_audio
from neuralamp.capture.file import endings
from neuralamp.capture.shelf import find_capture
from neuralamp.errors import AudioFileError, ReampError
from neuralamp.reamp.take import Job, output_container
from neuralamp.rig import Rig, capture_rig, find_rig, read_rig
from neuralamp.setlist import read_setlist

SOUND_SUFFIXES = (
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd",
    ".ogg", ".oga", ".opus", ".mp3",
)  # fmt: skip
"""What a folder is searched for; a file given by its name may be called anything."""
SHELF_FILE = "capture"  # the file's name in every folder of the shelf


def open_rigs(captures: Sequence[Path | str], rigs: Sequence[Path | str], setlist: Path | str | None = None) -> list[Rig]:
    """Rigs named after their files, as their outputs will be; of a set list the first. Raises what opening them raises."""
    if setlist is not None:
        if captures or rigs:
            raise ReampError("a set list names its rigs itself; give either --setlist or --capture and --rig")
        return [replace(read_setlist(Path(setlist))[0].rig, name=_name(setlist))]
    opened = [(given, capture_rig(find_capture(given))) for given in captures] + [
        (given, read_rig(find_rig(given))) for given in rigs
    ]
    if not opened:
        raise ReampError("there is nothing to play through; give --capture FILE or --rig FILE.toml")
    named: dict[str, Path | str] = {}
    for given, _ in opened:
        word = _name(given).casefold()
        if word in named:
            raise ReampError(
                f"{named[word]} and {given} are both called {_name(given)}, and so would their outputs be; rename one of them"
            )
        named[word] = given
    return [replace(rig, name=_name(given)) for given, rig in opened]


def _name(given: Path | str) -> str:
    """What a capture or a rig is called: its file, or its folder on the shelf."""
    path = Path(given)
    stem = path.stem if path.suffix.lower() in (*endings(), ".toml") else path.name
    return path.absolute().parent.name if stem == SHELF_FILE else stem


def find_takes(inputs: Sequence[Path | str], folder: Path) -> list[tuple[Path, Path]]:
    """Every take once, in the order given, and the folder below the output folder that it goes to.

    A folder is searched to the bottom for sound files, and its folders are kept. What lies in the output folder is no input.
    """
    takes: dict[Path, tuple[Path, Path]] = {}
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            if folder.resolve() == path.resolve():
                raise ReampError(f"{path} is both an input and the output folder; choose another folder with -o")
            found = [(file, file.parent.relative_to(path)) for file in sorted(path.rglob("*")) if _is_sound(file, path)]
        elif not path.exists() and glob.has_magic(str(given)):
            matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207  Path.glob knows no pattern with a root
            found = [(Path(file), Path()) for file in matches if Path(file).is_file()]
        else:
            takes.setdefault(path.resolve(), (path, Path()))
            continue
        found = [(file, below) for file, below in found if folder.resolve() not in file.resolve().parents]
        if not found:
            raise ReampError(f"{given} holds no sound files; check the name")
        for file, below in found:
            takes.setdefault(file.resolve(), (file, below))
    return list(takes.values())


def make_jobs(takes: Sequence[tuple[Path, Path]], rigs: Sequence[Rig], folder: Path) -> list[Job]:
    """Every take through every rig, to `folder`/<take> - <rig>.<ending>. Raises ReampError where two would bear one name."""
    jobs = [
        Job(take, number, folder / below / f"{take.stem} - {rig.name}{_suffix(take)}")
        for take, below in takes
        for number, rig in enumerate(rigs)
    ]
    inputs = {take.resolve() for take, _ in takes}
    writers: dict[str, Job] = {}
    for job in jobs:
        place = str(job.output).casefold()  # as most disks of musicians see names
        if place in writers:
            raise ReampError(
                f"{writers[place].input} and {job.input} would both become {job.output}; "
                "give their common folder as the input, or rename one"
            )
        if job.output.resolve() in inputs:
            raise ReampError(f"{job.output} is an input, and would be overwritten; choose another folder with -o")
        writers[place] = job
    return jobs


def _is_sound(file: Path, folder: Path) -> bool:
    """Whether a file in a folder is meant: a sound file's ending, and not hidden, as a Mac's leavings are."""
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SOUND_SUFFIXES and not hidden and file.is_file()


def _suffix(take: Path) -> str:
    """The ending of a take's outputs: its own, unless its coding cannot be kept."""
    try:
        return take.suffix if output_container(look_at_audio(take)) else ".wav"
    except AudioFileError:
        return take.suffix  # whoever plays it says what is wrong
