"""A set list: the rigs of an evening in their order, a TOML file.

name = "friday"

[[songs]]
name = "opener"
rig = "crunch.toml"       # beside this file, or a shipped name
snapshot = "clean"        # of the rig, where it begins
"""

from dataclasses import dataclass
from pathlib import Path

from neuralamp.errors import RigError
from neuralamp.files import read_toml
from neuralamp.rig import Rig, find_rig, read_rig

MOST_SONGS = 200
SONG_KEYS = ("name", "rig", "snapshot")


@dataclass(frozen=True)
class Song:
    """A rig under the name by which it is called, and the snapshot that it begins with."""

    name: str
    rig: Rig
    snapshot: str | None = None


def one_song(rig: Rig) -> tuple[Song, ...]:
    """A rig that is the whole evening."""
    return (Song(rig.name, rig),)


def read_setlist(path: Path) -> tuple[Song, ...]:
    """The songs of a file. Raises RigError, in one line, with the file and the song."""
    _, table = read_toml(path, RigError, example='[[songs]] rig = "crunch.toml"')
    entries = table.get("songs", [])
    for key in table:
        if key not in ("name", "songs"):
            raise RigError(f"{path}: {key} is unknown here; known are: name, songs")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise RigError(f"{path} has no songs; begin each with a line [[songs]]")
    if len(entries) > MOST_SONGS:
        raise RigError(f"{path} has {len(entries)} songs; {MOST_SONGS} is the most that is possible")
    songs: list[Song] = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, song {number}"
        for key, value in entry.items():
            if key not in SONG_KEYS:
                raise RigError(f"{where}: {key} is unknown here; known are: {', '.join(SONG_KEYS)}")
            if not isinstance(value, str) or not value:
                raise RigError(f"{where}: {key} = {value!r} should be a text")
        if "rig" not in entry:
            raise RigError(f"{where} lacks its rig; give a file, or a shipped name")
        beside = path.parent / entry["rig"]
        rig = read_rig(beside if beside.exists() else find_rig(entry["rig"]))
        song = Song(entry.get("name", rig.name), rig, entry.get("snapshot"))
        if song.snapshot is not None and song.snapshot not in (names := [snapshot.name for snapshot in rig.snapshots]):
            raise RigError(f"{where}: {rig.name} has no snapshot {song.snapshot!r}; it has: {', '.join(names) or 'none'}")
        if song.name in [other.name for other in songs]:
            raise RigError(f"{where} is called {song.name!r}, as another is; give it a name of its own")
        songs.append(song)
    return tuple(songs)
